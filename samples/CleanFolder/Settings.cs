using System.ComponentModel;
using Samples;
using Spectre.Console;
using Spectre.Console.Cli;

namespace CleanFolderSample;

/// <summary>What the command line asks for.</summary>
[Description("""
    Looks through a folder of images: groups of near-duplicates, the odd ones out, and what kinds of images there are. Writes a page to look at, a map, and a CSV. Nothing is deleted.
    For example: --data FOLDER --checkpoint dinov2-small

    Without a checkpoint a small network learns from the folder itself what tells its images apart (a few minutes): enough for near-duplicates; published weights know more of what is odd.
    """)]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, at whatever depth")]
    public string? Data { get; init; }

    [CommandOption("--checkpoint <FOLDER>")]
    [Description("published weights that turn images into vectors: a DINO, DINOv2, ViT, Swin, ResNet or CLIP")]
    public string? Checkpoint { get; init; }

    [CommandOption("--clip")]
    [Description("the checkpoint is a CLIP or SigLIP")]
    public bool Clip { get; init; }

    [CommandOption("--epochs <N>"), DefaultValue(5), TypeConverter(typeof(WholeNumber))]
    [Description("without a checkpoint, passes over the folder's images")]
    public int Epochs { get; init; }

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
        : Clip && Checkpoint is null ? ValidationResult.Error("--clip says what a --checkpoint is, and there is none. --help lists the options.")
        : ValidationResult.Success();
}
