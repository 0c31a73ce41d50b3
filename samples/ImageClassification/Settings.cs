using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;

namespace ImageClassification;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const string Help = """
        Trains a Vision Transformer or a Swin Transformer on images, evaluates it on held-out ones, and writes model.zip and report.html.

        Usage: dotnet run --project samples/ImageClassification -c Release [-- options]

          --data FOLDER        your images, one folder per class (default: handwritten digits that come with the sample)
          --out FOLDER         where the results go (default: artifacts/image-classification)
          --network NAME       ViT or Swin (default: ViT)
          --checkpoint PATH    start from these weights: a Hugging Face folder or a .safetensors, .pt or .pth file
          --preset NAME        size of the network: ViT's such as Tiny16, Swin's such as Tiny (default: SmallImage, or what the checkpoint's folder says)
          --recipe NAME        how it is trained: FromScratchSmall, FineTune, LinearProbe or Plain (default: by the checkpoint)
          --no-flips           do not mirror images in training: where left and right matter, as in text and signs
          --epochs N           passes over the training images
          --batch-size N       images per training step
          --image-size N       side of the square, in pixels, that images are resized to
          --patch-size N       side of a patch, in pixels
          --device NAME        auto, cpu, cuda or cuda:N (default: auto)
          --seed N             a number that fixes everything random (default: 1)
          --help               this text
        """;

    public string? Data { get; private set; }
    public string Out { get; private set; } = Path.Combine("artifacts", "image-classification");
    public string? Checkpoint { get; private set; }
    public Network Network { get; private set; } = Network.ViT;
    public string Preset { get; private set; } = "SmallImage";
    public Recipe? Recipe { get; private set; }
    public bool Flips { get; private set; } = true;
    public int? Epochs { get; private set; }
    public int? BatchSize { get; private set; }
    public int? ImageSize { get; private set; }
    public int? PatchSize { get; private set; }
    public string Device { get; private set; } = "auto";
    public int Seed { get; private set; } = 1;

    public string DataName => Data is null ? "Handwritten digits" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Data)));

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or wrong.</exception>
    public static Settings Parse(string[] args)
    {
        var settings = new Settings();
        foreach (var (option, value) in CommandLine.Pairs(args, "--no-flips"))
        {
            switch (option)
            {
                case "--data": settings.Data = CommandLine.Folder(option, value); break;
                case "--out": settings.Out = CommandLine.Text(option, value); break;
                case "--checkpoint": settings.Checkpoint = CommandLine.Text(option, value); break;
                case "--preset": settings.Preset = CommandLine.Text(option, value); break;
                case "--network": settings.Network = CommandLine.OneOf<Network>(option, value); break;
                case "--recipe": settings.Recipe = CommandLine.OneOf<Recipe>(option, value); break;
                case "--no-flips": settings.Flips = false; break;
                case "--epochs": settings.Epochs = CommandLine.Number(option, value); break;
                case "--batch-size": settings.BatchSize = CommandLine.Number(option, value); break;
                case "--image-size": settings.ImageSize = CommandLine.Number(option, value); break;
                case "--patch-size": settings.PatchSize = CommandLine.Number(option, value); break;
                case "--device": settings.Device = CommandLine.Text(option, value); break;
                case "--seed": settings.Seed = CommandLine.Number(option, value); break;
                default: throw CommandLine.Unknown(option);
            }
        }

        return settings;
    }
}

/// <summary>The families that this sample trains.</summary>
internal enum Network
{
    ViT,
    Swin,
}
