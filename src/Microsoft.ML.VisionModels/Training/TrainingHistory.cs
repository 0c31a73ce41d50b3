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

/// <summary>What happened in one epoch.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="TrainLoss">The mean loss over the epoch's steps.</param>
/// <param name="ValidationLoss">The loss on the validation rows; null where there are none.</param>
/// <param name="ValidationMetrics">The metrics on the validation rows, by name; empty where there are none.</param>
/// <param name="LearningRate">The learning rate of the epoch's last step.</param>
/// <param name="Seconds">The time that the epoch took, validation included.</param>
public sealed record TrainingEpoch(
    int Epoch,
    double TrainLoss,
    double? ValidationLoss,
    IReadOnlyDictionary<string, double> ValidationMetrics,
    double LearningRate,
    double Seconds);

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>All epochs were done.</summary>
    Completed,

    /// <summary>The validation score did not improve for <see cref="TrainerOptions.EarlyStoppingPatience"/> epochs.</summary>
    EarlyStopped,

    /// <summary>The caller canceled.</summary>
    Canceled,
}
