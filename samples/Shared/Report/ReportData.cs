using Microsoft.ML.VisionModels;

namespace Samples.Report;

/// <summary>All that the page tells.</summary>
internal sealed record ReportData
{
    public required string DataName { get; init; }

    /// <summary>What was done, in a few words.</summary>
    public required string Kicker { get; init; }

    public required Evaluation Evaluation { get; init; }
    public required LearningCurve Curve { get; init; }

    /// <summary>Images that the model, loaded back from its file, was shown one at a time.</summary>
    public IReadOnlyList<(ScoredImage Image, ModelOutput Output)> Looks { get; init; } = [];

    public required ImagePreprocessing Preprocessing { get; init; }
    public required IReadOnlyList<(string Name, string Value)> Settings { get; init; }
    public required IReadOnlyList<(string Step, TimeSpan Time)> Times { get; init; }
}

/// <summary>What training went through, a value an epoch.</summary>
internal sealed record LearningCurve(
    IReadOnlyList<double> TrainingLoss,
    IReadOnlyList<double> ValidationLoss,
    IReadOnlyList<double> ValidationAccuracy,
    int? BestEpoch)
{
    public static LearningCurve Of(TrainingHistory history) => new(
        [.. history.Epochs.Select(epoch => epoch.TrainLoss)],
        [.. history.Epochs.Select(epoch => epoch.ValidationLoss ?? double.NaN)],
        [.. history.Epochs.Select(epoch => epoch.ValidationMetrics.GetValueOrDefault("Accuracy", double.NaN))],
        history.BestEpoch);
}
