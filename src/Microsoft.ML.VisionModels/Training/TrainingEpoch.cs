namespace Microsoft.ML.VisionModels;

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
