using System.ComponentModel;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FineTune;

/// <summary>What the command line asks for.</summary>
[Description("Fine-tunes a published vision model on your images, evaluates it on held-out ones, and writes model.zip, a Hugging Face folder and report.html.")]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>", isRequired: true), Folder]
    [Description("your images, one folder per class")]
    public required string Data { get; init; }

    [CommandOption("--checkpoint <FOLDER>", isRequired: true), Folder]
    [Description("the published model: config.json, model.safetensors, preprocessor_config.json")]
    public required string Checkpoint { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/fine-tune")]
    [Description("where the results go, and the snapshot from which a run that was stopped goes on when it is started again with the same options")]
    public required string Out { get; init; }

    [CommandOption("--train <PARTS>"), DefaultValue(TrainedParts.All), TypeConverter(typeof(OneOf<TrainedParts>))]
    [Description("what learns: Head (fastest), LastBlocks, All")]
    public TrainedParts TrainedParts { get; init; }

    [CommandOption("--recipe <NAME>"), TypeConverter(typeof(OneOf<Recipe>))]
    [Description("how: FineTune, LinearProbe, FromScratchSmall or Plain; without it, by what learns")]
    public Recipe? Recipe { get; init; }

    [CommandOption("--epochs <N>"), DefaultValue(5), TypeConverter(typeof(WholeNumber))]
    [Description("passes over the training images")]
    public int Epochs { get; init; }

    [CommandOption("--batch-size <N>"), DefaultValue(16), TypeConverter(typeof(WholeNumber))]
    [Description("images per training step")]
    public int BatchSize { get; init; }

    [CommandOption("--no-flips")]
    [Description("do not mirror images in training: where left and right matter, as in text and signs")]
    public bool NoFlips { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    [CommandOption("--seed <N>"), DefaultValue(1), TypeConverter(typeof(WholeNumber))]
    [Description("a number that fixes everything random")]
    public int Seed { get; init; }

    public string DataName => NameOf(Data);
    public string CheckpointName => NameOf(Checkpoint);

    public override ValidationResult Validate() => TrainedParts == TrainedParts.None
        ? ValidationResult.Error("--train: None trains nothing; choose Head, LastBlocks or All.")
        : ValidationResult.Success();

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
