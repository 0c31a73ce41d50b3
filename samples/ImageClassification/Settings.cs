using System.ComponentModel;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console.Cli;

namespace ImageClassification;

/// <summary>What the command line asks for.</summary>
[Description("Trains a Vision Transformer or a Swin Transformer on images, evaluates it on held-out ones, and writes model.zip and report.html.")]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, one folder per class; without them, handwritten digits that come with the sample")]
    public string? Data { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/image-classification")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--network <NAME>"), DefaultValue(Network.ViT), TypeConverter(typeof(OneOf<Network>))]
    [Description("ViT or Swin")]
    public Network Network { get; init; }

    [CommandOption("--checkpoint <PATH>")]
    [Description("start from these weights: a Hugging Face folder or a .safetensors, .pt or .pth file")]
    public string? Checkpoint { get; init; }

    [CommandOption("--preset <NAME>"), DefaultValue("SmallImage")]
    [Description("size of the network: ViT's such as Tiny16, Swin's such as Tiny; a checkpoint's folder says it itself")]
    public required string Preset { get; init; }

    [CommandOption("--recipe <NAME>"), TypeConverter(typeof(OneOf<Recipe>))]
    [Description("how it is trained: FromScratchSmall, FineTune, LinearProbe or Plain; without it, by the checkpoint")]
    public Recipe? Recipe { get; init; }

    [CommandOption("--no-flips")]
    [Description("do not mirror images in training: where left and right matter, as in text and signs")]
    public bool NoFlips { get; init; }

    [CommandOption("--epochs <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("passes over the training images")]
    public int? Epochs { get; init; }

    [CommandOption("--batch-size <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("images per training step")]
    public int? BatchSize { get; init; }

    [CommandOption("--image-size <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("side of the square, in pixels, that images are resized to")]
    public int? ImageSize { get; init; }

    [CommandOption("--patch-size <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("side of a patch, in pixels")]
    public int? PatchSize { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    [CommandOption("--seed <N>"), DefaultValue(1), TypeConverter(typeof(WholeNumber))]
    [Description("a number that fixes everything random")]
    public int Seed { get; init; }

    public string DataName => Data is null ? "Handwritten digits" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Data)));
}

/// <summary>The families that this sample trains.</summary>
internal enum Network
{
    ViT,
    Swin,
}
