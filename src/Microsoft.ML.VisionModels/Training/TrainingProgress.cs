namespace Microsoft.ML.VisionModels;

/// <summary>How far a training is.</summary>
/// <param name="Epoch">The current epoch, from 1.</param>
/// <param name="Epochs">The epochs asked for; early stopping may end sooner.</param>
/// <param name="Step">The steps done in this epoch, from 1.</param>
/// <param name="Steps">The steps of an epoch.</param>
/// <param name="Loss">The mean training loss of this epoch so far.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="ValidationLoss">The loss of the last validation; null before the first.</param>
/// <param name="ValidationMetrics">The metrics of the last validation, by name; empty before the first.</param>
/// <param name="SamplesPerSecond">Training rows per second, validation time included.</param>
/// <param name="Elapsed">The time since training began.</param>
/// <param name="Remaining">The time that the remaining steps would take at this speed.</param>
public sealed record TrainingProgress(
    int Epoch,
    int Epochs,
    int Step,
    int Steps,
    double Loss,
    double LearningRate,
    double? ValidationLoss,
    IReadOnlyDictionary<string, double> ValidationMetrics,
    double SamplesPerSecond,
    TimeSpan Elapsed,
    TimeSpan Remaining);
