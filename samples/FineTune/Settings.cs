using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;

namespace FineTune;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Fine-tunes a published vision model on your images, evaluates it on held-out ones, and writes model.zip,
        a Hugging Face folder and report.html.

        Usage: dotnet run --project samples/FineTune -c Release -- --data FOLDER --checkpoint FOLDER [options]

          --data FOLDER        your images, one folder per class
          --checkpoint FOLDER  the published model: config.json, model.safetensors, preprocessor_config.json
          --out FOLDER         where the results go, and the snapshot from which a run that was stopped goes on when it is
                               started again with the same options (default: artifacts/fine-tune)
          --train PARTS        what learns: Head (fastest), LastBlocks, All (default: All)
          --recipe NAME        how: FineTune, LinearProbe, FromScratchSmall or Plain (default: by what learns)
          --epochs N           passes over the training images (default: 5)
          --batch-size N       images per training step (default: 16)
          --no-flips           do not mirror images in training: where left and right matter, as in text and signs
          --device NAME        auto, cpu, cuda or cuda:N (default: auto)
          --seed N             a number that fixes everything random (default: 1)
          --help               this text
        """;

    public string Data { get; private set; } = "";
    public string Checkpoint { get; private set; } = "";
    public string Out { get; private set; } = Path.Combine("artifacts", "fine-tune");
    public TrainedParts TrainedParts { get; private set; } = TrainedParts.All;
    public Recipe? Recipe { get; private set; }
    public int Epochs { get; private set; } = 5;
    public int BatchSize { get; private set; } = 16;
    public bool Flips { get; private set; } = true;
    public string Device { get; private set; } = "auto";
    public int Seed { get; private set; } = 1;

    public string DataName => NameOf(Data);
    public string CheckpointName => NameOf(Checkpoint);

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or wrong.</exception>
    public static Settings Parse(string[] args)
    {
        var settings = new Settings();
        foreach (var (option, value) in CommandLine.Pairs(args, "--no-flips"))
        {
            switch (option)
            {
                case "--data": settings.Data = CommandLine.Folder(option, value); break;
                case "--checkpoint": settings.Checkpoint = CommandLine.Folder(option, value); break;
                case "--out": settings.Out = CommandLine.Text(option, value); break;
                case "--train": settings.TrainedParts = CommandLine.OneOf<TrainedParts>(option, value); break;
                case "--recipe": settings.Recipe = CommandLine.OneOf<Recipe>(option, value); break;
                case "--epochs": settings.Epochs = CommandLine.Number(option, value); break;
                case "--batch-size": settings.BatchSize = CommandLine.Number(option, value); break;
                case "--no-flips": settings.Flips = false; break;
                case "--device": settings.Device = CommandLine.Text(option, value); break;
                case "--seed": settings.Seed = CommandLine.Number(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }

        if (settings.Data.Length == 0 || settings.Checkpoint.Length == 0)
            throw new ArgumentException("--data and --checkpoint are needed. --help lists the options.");
        if (settings.TrainedParts == TrainedParts.None)
            throw new ArgumentException("--train: None trains nothing; choose Head, LastBlocks or All.");
        return settings;
    }

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
