using System.ComponentModel;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console.Cli;

namespace TrainDiffusion;

/// <summary>What the command line asks for.</summary>
[Description("""
    Learns to make images like those of a folder, by class where they lie in a folder per class. Writes model.zip, what it made epoch by epoch (preview.png), the steps
    from noise to images (denoising.png) and a sheet of its images (images.png).

    Without a folder it learns from the handwritten digits that come with this sample (two minutes).
    """)]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, in one folder or in a folder per class")]
    public string? Data { get; init; }

    [CommandOption("--image-size <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("height and width of the images that are learned and made; without it 32, and 8 for the digits")]
    public int? ImageSize { get; init; }

    [CommandOption("--epochs <N>"), DefaultValue(40), TypeConverter(typeof(WholeNumber))]
    [Description("passes over the images")]
    public int Epochs { get; init; }

    [CommandOption("--batch-size <N>"), DefaultValue(64), TypeConverter(typeof(WholeNumber))]
    [Description("images per training step")]
    public int BatchSize { get; init; }

    [CommandOption("--channels <N>"), DefaultValue(32), TypeConverter(typeof(WholeNumber))]
    [Description("the width of the network's first stage, a multiple of 8")]
    public int Channels { get; init; }

    [CommandOption("--predict <NAME>"), DefaultValue(DiffusionPrediction.Velocity), TypeConverter(typeof(OneOf<DiffusionPrediction>))]
    [Description("what the network learns to tell: Velocity, Noise (as DDPM) or Image")]
    public DiffusionPrediction Prediction { get; init; }

    [CommandOption("--flip")]
    [Description("learn from mirrored images too, where left and right do not matter")]
    public bool Flip { get; init; }

    [CommandOption("--autoencoder <PATH>")]
    [Description("a folder of diffusers' AutoencoderKL or AutoencoderTiny, whose latents are learned instead of pixels")]
    public string? Autoencoder { get; init; }

    [CommandOption("--steps <N>"), DefaultValue(20), TypeConverter(typeof(WholeNumber))]
    [Description("steps from noise to an image")]
    public int Steps { get; init; }

    [CommandOption("--count <N>"), DefaultValue(4), TypeConverter(typeof(WholeNumber))]
    [Description("images of each class in the end")]
    public int Count { get; init; }

    [CommandOption("--resume")]
    [Description("go on with a training of the same settings that was stopped")]
    public bool Resume { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/train-diffusion")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }
}
