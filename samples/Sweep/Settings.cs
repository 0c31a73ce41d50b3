using System.ComponentModel;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console.Cli;

namespace SweepSample;

/// <summary>What the command line asks for.</summary>
[Description("Searches for a good network and good hyper-parameters on images, tests the best model on held-out ones, and writes model.zip, report.html and trials.csv.")]
internal sealed class Settings : CommandSettings
{
    [CommandOption("--data <FOLDER>"), Folder]
    [Description("your images, one folder per class; without them, handwritten digits that come with the samples")]
    public string? Data { get; init; }

    [CommandOption("--out <FOLDER>"), DefaultValue("artifacts/sweep")]
    [Description("where the results go")]
    public required string Out { get; init; }

    [CommandOption("--minutes <N>"), DefaultValue(3), TypeConverter(typeof(WholeNumber))]
    [Description("how long to search")]
    public int Minutes { get; init; }

    [CommandOption("--trials <N>"), TypeConverter(typeof(WholeNumber))]
    [Description("how many trials at most; without it, no limit")]
    public int? Trials { get; init; }

    [CommandOption("--epochs <N>"), DefaultValue(16), TypeConverter(typeof(WholeNumber))]
    [Description("passes over the training images in a trial that is not ended early")]
    public int Epochs { get; init; }

    [CommandOption("--sampler <NAME>"), DefaultValue(SweepSampler.Tpe), TypeConverter(typeof(OneOf<SweepSampler>))]
    [Description("Tpe, Random, Grid or Refine")]
    public SweepSampler Sampler { get; init; }

    [CommandOption("--pruner <NAME>"), DefaultValue(SweepPruner.Asha), TypeConverter(typeof(OneOf<SweepPruner>))]
    [Description("Asha, Hyperband, Median or None")]
    public SweepPruner Pruner { get; init; }

    [CommandOption("--workers <N>"), DefaultValue(1), TypeConverter(typeof(WholeNumber))]
    [Description("trials at the same time")]
    public int Workers { get; init; }

    [CommandOption("--storage <PLACE>")]
    [Description("keeps the study, and the search goes on there when it is started again: a SQLite file, or a PostgreSQL connection that several processes share (\"Host=...\"); without it, in memory")]
    public string? Storage { get; init; }

    [CommandOption("--seed <N>"), DefaultValue(1), TypeConverter(typeof(WholeNumber))]
    [Description("a number that fixes everything random")]
    public int Seed { get; init; }
}
