using System.ComponentModel;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace SelfSupervised;

/// <summary>What the command line asks for.</summary>
[Description("""
    Learns features from a folder of images without their labels, and writes model.zip, features.csv, a map of the images (map.html) and a sheet of nearest neighbors.
    Where the images lie in a folder per class, it also says how well the features tell these classes, which they have not been told.

    Without a folder it learns from the handwritten digits that come with this sample (three minutes).
    """)]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, in one folder or in a folder per class")]
    public string? Data { get; init; }

    [CommandOption("--method <NAME>"), DefaultValue(SslMethod.SimClr), TypeConverter(typeof(OneOf<SslMethod>))]
    [Description("SimClr, Byol, Dino or Mae; None takes the features of --checkpoint as they are")]
    public SslMethod Method { get; init; }

    [CommandOption("--backbone <NAME>"), TypeConverter(typeof(OneOf<SslBackbone>))]
    [Description("the network that learns; without it one for small images")]
    public SslBackbone? Backbone { get; init; }

    [CommandOption("--checkpoint <PATH>")]
    [Description("a published network to go on from, or with --method None to use")]
    public string? Checkpoint { get; init; }

    [CommandOption("--image-size <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("the side that images are resized to")]
    public int? ImageSize { get; init; }

    [CommandOption("--epochs <N>"), DefaultValue(30), TypeConverter(typeof(WholeNumber))]
    [Description("passes over the images")]
    public int Epochs { get; init; }

    [CommandOption("--batch-size <N>"), DefaultValue(128), TypeConverter(typeof(WholeNumber))]
    [Description("images per training step")]
    public int BatchSize { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/self-supervised")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    public override ValidationResult Validate() => Method == SslMethod.None && Checkpoint is null
        ? ValidationResult.Error("--method None learns nothing, and needs a --checkpoint.")
        : ValidationResult.Success();

    /// <summary>What the estimator is told.</summary>
    public SslFeaturizerOptions Options(bool hasClasses, CancellationToken cancellation) => new()
    {
        Method = Method,
        Backbone = Backbone ?? (Method is SslMethod.Dino or SslMethod.Mae ? SslBackbone.ViTSmallImage : SslBackbone.ResNetSmallImage),
        Checkpoint = Checkpoint,
        // Digits are of 8 x 8, and mirrored they are others.
        ImageSize = ImageSize ?? (Data is null ? 16 : null),
        HorizontalFlip = Data is not null,
        LabelColumnName = hasClasses ? "Label" : null,
        Epochs = Epochs,
        BatchSize = BatchSize,
        Device = Device,
        CancellationToken = cancellation,
    };
}
