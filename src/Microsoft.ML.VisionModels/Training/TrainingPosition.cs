namespace Microsoft.ML.VisionModels.Training;

/// <summary>How far a training is, as a snapshot keeps it. Epochs and steps count from 0.</summary>
/// <param name="Epoch">The present epoch.</param>
/// <param name="Step">Its first step that is not done; the number of steps where only its validation is left.</param>
/// <param name="LearningRate">The last step's.</param>
/// <param name="MeanLoss">The mean loss of the epoch's steps so far.</param>
/// <param name="LastValidation">The last epoch's.</param>
/// <param name="BestValidation">The best epoch's.</param>
/// <param name="BestEpoch">The epoch with the best validation.</param>
/// <param name="Epochs">The finished epochs.</param>
/// <param name="Elapsed">The time so far.</param>
internal sealed record TrainingPosition(
    int Epoch,
    int Step,
    double LearningRate,
    double MeanLoss,
    ValidationResult? LastValidation,
    ValidationResult? BestValidation,
    int? BestEpoch,
    IReadOnlyList<TrainingEpoch> Epochs,
    TimeSpan Elapsed);
