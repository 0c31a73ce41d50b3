using System.ComponentModel;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console.Cli;

namespace TextToImage;

/// <summary>What the command line asks for.</summary>
[Description("""
    Makes images from words. Without a model it first trains a small diffusion model on the handwritten digits that come with this sample, each with a caption
    such as "a handwritten seven", and shows in preview.png how they sharpen (four minutes). With --model it takes Stable Diffusion's folder instead.
    """)]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--model <PATH>")]
    [Description("a folder of diffusers (with model_index.json); without it a small model is trained")]
    public string? Model { get; init; }

    [CommandOption("--prompt <TEXT>")]
    [Description("what to make; without it every digit")]
    public string? Prompt { get; init; }

    [CommandOption("--negative <TEXT>")]
    [Description("what not to make")]
    public string? Negative { get; init; }

    [CommandOption("--count <N>"), DefaultValue(8), TypeConverter(typeof(WholeNumber))]
    [Description("images of each prompt, each of another seed")]
    public int Count { get; init; }

    [CommandOption("--seed <N>"), DefaultValue(1)]
    [Description("the seed of the first image")]
    public int Seed { get; init; }

    [CommandOption("--steps <N>"), DefaultValue(20), TypeConverter(typeof(WholeNumber))]
    [Description("steps from noise to the image")]
    public int Steps { get; init; }

    [CommandOption("--guidance <X>")]
    [Description("how far the words lead; without it 7.5 for a published model, and 2 for the small one")]
    public double? Guidance { get; init; }

    [CommandOption("--scheduler <NAME>"), TypeConverter(typeof(OneOf<DiffusionScheduler>))]
    [Description("how steps are taken; without it as the model's publisher says")]
    public DiffusionScheduler? Scheduler { get; init; }

    [CommandOption("--size <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("height and width; without it the model's")]
    public int? Size { get; init; }

    [CommandOption("--precision <NAME>"), DefaultValue(Precision.Float32), TypeConverter(typeof(OneOf<Precision>))]
    [Description("Float32, or BFloat16 for half of the memory")]
    public Precision Precision { get; init; }

    [CommandOption("--epochs <N>"), DefaultValue(40), TypeConverter(typeof(WholeNumber))]
    [Description("passes over the digits, where a model is trained")]
    public int Epochs { get; init; }

    [CommandOption("--check")]
    [Description("train a classifier on the real digits, and say how often it agrees with the words")]
    public bool Check { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/text-to-image")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--device <NAME>"), DefaultValue("auto")]
    [Description("auto, cpu, cuda or cuda:N")]
    public required string Device { get; init; }

    /// <summary>How images are made.</summary>
    public DiffusionSamplingOptions Sampling => new()
    {
        Steps = Steps, Scheduler = Scheduler, GuidanceScale = Guidance ?? (Model is null ? 2 : 7.5), Height = Size, Width = Size, Seed = Seed,
    };
}
