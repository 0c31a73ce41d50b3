namespace Microsoft.ML.VisionModels;

/// <summary>The course of a finished training.</summary>
public sealed class TrainingHistory
{
    internal TrainingHistory(IReadOnlyList<TrainingEpoch> epochs, int? bestEpoch, StopReason stopReason, TimeSpan elapsed)
    {
        Epochs = epochs;
        BestEpoch = bestEpoch;
        StopReason = stopReason;
        Elapsed = elapsed;
    }

    /// <summary>The finished epochs in their order.</summary>
    public IReadOnlyList<TrainingEpoch> Epochs { get; }

    /// <summary>The number, from 1, of the epoch with the best validation score, whose weights the model has; null without validation: the model then has the last weights.</summary>
    public int? BestEpoch { get; }

    /// <summary>Why training ended.</summary>
    public StopReason StopReason { get; }

    /// <summary>The time that training took.</summary>
    public TimeSpan Elapsed { get; }
}
