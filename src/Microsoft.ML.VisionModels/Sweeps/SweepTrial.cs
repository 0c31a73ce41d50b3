namespace Microsoft.ML.VisionModels;

/// <summary>A trial of a sweep: an estimator with one set of hyper-parameters.</summary>
public sealed record SweepTrial
{
    /// <summary>The trial's number in its study, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>The name of the estimator.</summary>
    public required string Candidate { get; init; }

    /// <summary>The hyper-parameters by the names of their properties. Values are double, int, bool or string; those of enumerations are their names.</summary>
    public required IReadOnlyDictionary<string, object> Parameters { get; init; }

    /// <summary>The state of the trial.</summary>
    public SweepTrialState State { get; init; }

    /// <summary>The metric on the validation rows; null before the end, and for trials that were pruned or failed.</summary>
    public double? Score { get; init; }

    /// <summary>The epochs so far; empty for estimators that have none.</summary>
    public IReadOnlyList<SweepEpoch> Epochs { get; init; } = [];

    /// <summary>The error of a trial that failed.</summary>
    public string? Error { get; init; }

    /// <summary>The worker that runs the trial or ran it.</summary>
    public string? Worker { get; init; }

    /// <summary>How often the trial was begun: more than once if a worker died while it ran the trial.</summary>
    public int Attempts { get; init; }

    /// <summary>When the trial was begun last.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>How long the trial took; for a running trial, the time until its last heartbeat.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether the trial has ended, in whatever way.</summary>
    public bool IsOver => State >= SweepTrialState.Complete;
}

/// <summary>The state of a trial.</summary>
public enum SweepTrialState
{
    /// <summary>It waits for a worker, because its own worker died or was stopped.</summary>
    Waiting,

    /// <summary>A worker runs it.</summary>
    Running,

    /// <summary>It is complete and has a score.</summary>
    Complete,

    /// <summary>It was ended early, because other trials were better at the same epoch.</summary>
    Pruned,

    /// <summary>It was stopped when the time was up or the sweep was canceled. Its score is that of the model at that time.</summary>
    Stopped,

    /// <summary>It threw an exception, or its score was not a finite number.</summary>
    Failed,
}

/// <summary>The state of a trial's training after an epoch.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="Score">The best validation score so far, on the rows that the training held out. Higher is better; for a classifier it is the accuracy.</param>
/// <param name="Seconds">The time since the trial began.</param>
public sealed record SweepEpoch(int Epoch, double Score, double Seconds);
