using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels;

/// <summary>What a sweep can be told.</summary>
public sealed class SweepOptions
{
    /// <summary>How many trials the study is to have, those of earlier runs and of other processes included; null sets no limit, as a grid wants. Default 30.</summary>
    public int? Trials { get; set; } = 30;

    /// <summary>How long this run may take, in minutes; the trial that is running then is stopped and scored as it stands. Null, the default, sets no limit.</summary>
    public double? Minutes { get; set; }

    /// <summary>What a trial is scored by on the validation rows. Default <see cref="SweepMetric.Accuracy"/>.</summary>
    public SweepMetric Metric { get; set; } = SweepMetric.Accuracy;

    /// <summary>How it is decided what to try next. Default <see cref="SweepSampler.Tpe"/>.</summary>
    public SweepSampler Sampler { get; set; } = SweepSampler.Tpe;

    /// <summary>How it is decided which trials are not worth finishing. Default <see cref="SweepPruner.Asha"/>.</summary>
    public SweepPruner Pruner { get; set; } = SweepPruner.Asha;

    /// <summary>
    /// The epochs that every trial has before it may be ended early, and halving's first rung; at least 1. Default 1. More where an epoch
    /// has few steps, and a trial is still warming up after it (<see cref="TrainerOptions.WarmupFraction"/>).
    /// </summary>
    public int GraceEpochs { get; set; } = 1;

    /// <summary>With <see cref="SweepSampler.Grid"/>, how many values a number takes; at least 1. Default 3.</summary>
    public int GridSteps { get; set; } = 3;

    /// <summary>
    /// Where the study is kept: the path of a SQLite file, which is made where it is not there, or a PostgreSQL connection ("Host=…" or
    /// "postgres://…"), from which several processes and machines can work at one study. Null, the default, keeps it in memory.
    /// Kept, it goes on where it was after a crash; a trial whose process is gone is run again.
    /// </summary>
    public string? Storage { get; set; }

    /// <summary>The study's name in its <see cref="Storage"/>. Default "sweep".</summary>
    public string Study { get; set; } = "sweep";

    /// <summary>A file to which the best model of the study is saved as soon as there is a better one, as <c>mlContext.Model.Save</c> does (after cross-validation in the end); its folder is made. Null, the default, does not.</summary>
    public string? ModelPath { get; set; }

    /// <summary>How many trials run at the same time in this process, as memory allows; at least 1. Default 1. On a CPU they share the cores; a GPU's memory is not looked at.</summary>
    public int Workers { get; set; } = 1;

    /// <summary>The seed of what is tried; null takes the <see cref="MLContext"/>'s.</summary>
    public int? Seed { get; set; }

    /// <summary>Told when a trial begins, after each of its epochs, and when it ends.</summary>
    public IProgress<SweepProgress>? Progress { get; set; }

    /// <summary>Ends the sweep: the running trial is stopped and scored as it stands (with folds it goes back), and the best model so far is the result. Estimators of other packages run to their end.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal void Validate()
    {
        if (Trials is { } trials)
            OptionChecks.Require(trials, trials >= 1, "at least 1", nameof(Trials));
        if (Minutes is { } minutes)
            OptionChecks.Require(minutes, minutes > 0, "above 0", nameof(Minutes));
        ArgumentNullException.ThrowIfNull(Metric);
        OptionChecks.RequireDefined(Sampler, nameof(Sampler));
        OptionChecks.RequireDefined(Pruner, nameof(Pruner));
        OptionChecks.Require(GraceEpochs, GraceEpochs >= 1, "at least 1");
        OptionChecks.Require(GridSteps, GridSteps >= 1, "at least 1");
        OptionChecks.Require(Workers, Workers >= 1, "at least 1");
        OptionChecks.RequireName(Study, nameof(Study));
        if (Storage is not null)
            OptionChecks.RequireName(Storage, nameof(Storage));
    }

    internal void RequireEnd()
    {
        if (Trials is null && Minutes is null && Sampler != SweepSampler.Grid)
            throw new ArgumentException($"Neither {nameof(Trials)} nor {nameof(Minutes)} is set: the sweep would never end.");
    }

    /// <summary>Tells <see cref="Progress"/> where a trial stands.</summary>
    internal void Report(SweepTrial trial, StudyStore store)
    {
        if (Progress is null)
            return;
        var history = store.History();
        Progress.Report(new(trial, history.Best, history.Trials.Count(other => other.IsOver), Trials));
    }

    internal SweepOptions Copy() => (SweepOptions)MemberwiseClone();
}
