using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels;

/// <summary>The options of a sweep.</summary>
public sealed class SweepOptions
{
    /// <summary>How many trials the study should have, including those of earlier runs and of other processes; null for no limit, as for a whole grid. Default 30.</summary>
    public int? Trials { get; set; } = 30;

    /// <summary>How long this run may take, in minutes. The trial that is running then is stopped and scored as it stands. Null, the default, for no limit.</summary>
    public double? Minutes { get; set; }

    /// <summary>The metric by which trials are scored on the validation rows. Default <see cref="SweepMetric.Accuracy"/>.</summary>
    public SweepMetric Metric { get; set; } = SweepMetric.Accuracy;

    /// <summary>How the hyper-parameters of the next trial are chosen. Default <see cref="SweepSampler.Tpe"/>.</summary>
    public SweepSampler Sampler { get; set; } = SweepSampler.Tpe;

    /// <summary>How the trials that are ended early are chosen. Default <see cref="SweepPruner.Asha"/>.</summary>
    public SweepPruner Pruner { get; set; } = SweepPruner.Asha;

    /// <summary>
    /// The epochs before which no trial is ended early, which is also the first rung of halving; at least 1. Default 1. Raise it where an
    /// epoch has few steps, so that a trial is still warming up after it (<see cref="TrainerOptions.WarmupFraction"/>).
    /// </summary>
    public int GraceEpochs { get; set; } = 1;

    /// <summary>With <see cref="SweepSampler.Grid"/>, how many values a number takes; at least 1. Default 3.</summary>
    public int GridSteps { get; set; } = 3;

    /// <summary>
    /// Where the study is stored: the path of a SQLite file, which is created where there is none, or a PostgreSQL connection ("Host=…" or
    /// "postgres://…"), with which several processes and machines can work on one study. Null, the default, keeps it in memory. A stored
    /// study can be continued after a crash; a trial whose process has ended is run again.
    /// </summary>
    public string? Storage { get; set; }

    /// <summary>The study's name in its <see cref="Storage"/>. Default "sweep".</summary>
    public string Study { get; set; } = "sweep";

    /// <summary>The file to which the best model of the study is saved, as by <c>mlContext.Model.Save</c>, whenever there is a better one (with cross-validation only at the end). Its folder is created. Null, the default, for none.</summary>
    public string? ModelPath { get; set; }

    /// <summary>How many trials run at the same time in this process, as far as there is memory; at least 1. Default 1. On a CPU they share the cores. The memory of a GPU is not considered.</summary>
    public int Workers { get; set; } = 1;

    /// <summary>The seed of the random choices; null takes that of the <see cref="MLContext"/>.</summary>
    public int? Seed { get; set; }

    /// <summary>Receives a report when a trial begins, after each of its epochs, and when it ends.</summary>
    public IProgress<SweepProgress>? Progress { get; set; }

    /// <summary>Ends the sweep. The running trial is stopped and scored as it stands (with cross-validation it can be claimed again), and the best model so far is the result. Estimators of other packages cannot be stopped.</summary>
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

    /// <summary>Reports the state of a trial to <see cref="Progress"/>.</summary>
    internal void Report(SweepTrial trial, StudyStore store)
    {
        if (Progress is null)
            return;
        var history = store.History();
        Progress.Report(new(trial, history.Best, history.Trials.Count(other => other.IsOver), Trials));
    }

    internal SweepOptions Copy() => (SweepOptions)MemberwiseClone();
}

/// <summary>How a sweep chooses the hyper-parameters of the next trial. All samplers but the grid begin with the initial values of every candidate.</summary>
public enum SweepSampler
{
    /// <summary>Tree-structured Parzen estimator (Bergstra et al., 2011) with Optuna's defaults: ten random trials, then values that are more frequent in good trials than in bad ones.</summary>
    Tpe,

    /// <summary>Uniformly distributed random values.</summary>
    Random,

    /// <summary>Every combination of values, with <see cref="SweepOptions.GridSteps"/> values for each number. The sweep ends when all were tried.</summary>
    Grid,

    /// <summary>A round of random trials, then rounds of trials near the best one, within a range that halves from round to round.</summary>
    Refine,
}

/// <summary>
/// How a sweep chooses the trials that are ended early. It looks at the validation score of a trial's own training after each epoch; trials
/// of estimators without epochs are never ended early.
/// </summary>
public enum SweepPruner
{
    /// <summary>Asynchronous successive halving (arXiv 1810.05934): only the best quarter of the trials goes on after 1, 4, 16… times <see cref="SweepOptions.GraceEpochs"/>.</summary>
    Asha,

    /// <summary>No trial is ended early.</summary>
    None,

    /// <summary>When five trials are complete, a trial ends if it is worse than the median of the others at the same epoch.</summary>
    Median,

    /// <summary>Hyperband (arXiv 1603.06560): several brackets of asynchronous halving, which begin after 1, 3, 9… times <see cref="SweepOptions.GraceEpochs"/>. It suits networks that improve slowly at first.</summary>
    Hyperband,
}

/// <summary>The progress of a sweep.</summary>
/// <param name="Trial">The trial that has begun, has ended an epoch, or is over.</param>
/// <param name="Best">The best trial of the study so far, as in <see cref="SweepStudy.Best"/>; null before the first.</param>
/// <param name="Over">How many trials are over.</param>
/// <param name="Trials">How many trials the study should have; null where there is no limit.</param>
public sealed record SweepProgress(SweepTrial Trial, SweepTrial? Best, int Over, int? Trials);
