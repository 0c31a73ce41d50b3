namespace Microsoft.ML.VisionModels;

/// <summary>The course of a finished training.</summary>
public sealed class TrainingHistory
{
    internal TrainingHistory(IReadOnlyList<TrainingEpoch> epochs, int? bestEpoch, StopReason stopReason, TimeSpan elapsed, string? snapshotError)
    {
        Epochs = epochs;
        BestEpoch = bestEpoch;
        StopReason = stopReason;
        Elapsed = elapsed;
        SnapshotError = snapshotError;
    }

    /// <summary>The finished epochs in their order.</summary>
    public IReadOnlyList<TrainingEpoch> Epochs { get; }

    /// <summary>The number, from 1, of the epoch with the best validation score, whose weights the model has; null without validation: the model then has the last weights.</summary>
    public int? BestEpoch { get; }

    /// <summary>Why training ended.</summary>
    public StopReason StopReason { get; }

    /// <summary>The time that training took, in all processes that it went through.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Why the last snapshot could not be written to <see cref="TrainerOptions.SnapshotFolder"/>; null where all is well.</summary>
    public string? SnapshotError { get; }
}
