using System.ComponentModel;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace CleanFolderSample;

/// <summary>What the command line asks for.</summary>
[Description("""
    Looks through a folder of images: groups of near-duplicates, the odd ones out, and what kinds of images there are. Writes a page to look at, a map, and a CSV. Nothing is deleted.
    For example: --data FOLDER --checkpoint clip-vit-base-patch32
    """)]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, at whatever depth")]
    public string? Data { get; init; }

    [CommandOption("--checkpoint <FOLDER>")]
    [Description("published weights that turn images into vectors: config.json, model.safetensors, preprocessor_config.json")]
    public string? Checkpoint { get; init; }

    [CommandOption("--network <NAME>"), DefaultValue(Network.Clip), TypeConverter(typeof(OneOf<Network>))]
    [Description("what the weights are of: Clip (SigLIP too), Swin or ViT (a classifier)")]
    public Network Network { get; init; }

    [CommandOption("--cosine <X>"), DefaultValue(0.7)]
    [Description("the least cosine of two images' vectors that are compared pixel by pixel")]
    public double Cosine { get; init; }

    [CommandOption("--likeness <X>"), DefaultValue(0.8)]
    [Description("the least likeness of near-duplicates' pixels, 1 at most")]
    public double Likeness { get; init; }

    [CommandOption("--odd <N>"), DefaultValue(40), TypeConverter(typeof(WholeNumber))]
    [Description("how many odd ones to show")]
    public int Odd { get; init; }

    [CommandOption("--clusters <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("how many kinds of images to form; without it, the root of half their number, 50 at most")]
    public int? Clusters { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/clean-folder")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    public override ValidationResult Validate() =>
        Data is null ? ValidationResult.Error("--data names the folder to look through. --help lists the options.")
        : Checkpoint is null ? ValidationResult.Error("--checkpoint names published weights, which turn images into vectors: a CLIP, Swin or ViT as Hugging Face has them. --help lists the options.")
        : ValidationResult.Success();
}

/// <summary>The networks that can turn images into vectors here.</summary>
internal enum Network
{
    Clip,
    Swin,
    ViT,
}
