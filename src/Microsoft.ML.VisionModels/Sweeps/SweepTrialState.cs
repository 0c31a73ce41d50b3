namespace Microsoft.ML.VisionModels;

/// <summary>Where a trial of a sweep stands.</summary>
public enum SweepTrialState
{
    /// <summary>It is to be run: its worker died or was stopped.</summary>
    Waiting,

    /// <summary>A worker is at it.</summary>
    Running,

    /// <summary>It went to its end and has a score.</summary>
    Complete,

    /// <summary>It was ended early, because others had been better at the same epoch.</summary>
    Pruned,

    /// <summary>The time was up, or the sweep was canceled: its score is that of the model that it had by then.</summary>
    Stopped,

    /// <summary>It threw an exception, or its score was no number.</summary>
    Failed,
}
