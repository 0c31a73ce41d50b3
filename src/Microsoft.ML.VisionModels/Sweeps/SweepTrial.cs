using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels;

/// <summary>One attempt of a sweep: an estimator with one set of hyper-parameters.</summary>
public sealed record SweepTrial
{
    /// <summary>The trial's number in its study, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>The name of the estimator.</summary>
    public required string Candidate { get; init; }

    /// <summary>The hyper-parameters by the names of their properties: double, int, bool or string (an enumeration's name).</summary>
    public required IReadOnlyDictionary<string, object> Parameters { get; init; }

    /// <summary>Where it stands.</summary>
    public SweepTrialState State { get; init; }

    /// <summary>The metric on the validation rows; null before the end, and of trials that were pruned or failed.</summary>
    public double? Score { get; init; }

    /// <summary>The epochs so far; empty for estimators that have none.</summary>
    public IReadOnlyList<SweepEpoch> Epochs { get; init; } = [];

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>The process that runs it or ran it.</summary>
    public string? Worker { get; init; }

    /// <summary>How often it was begun: more than once where a worker died at it.</summary>
    public int Attempts { get; init; }

    /// <summary>When it was begun, the last time.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>How long it took; of a running one, until it last gave a sign of life.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether nothing more will happen to it.</summary>
    public bool IsOver => State >= SweepTrialState.Complete;
}
