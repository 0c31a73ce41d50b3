using Microsoft.ML.VisionModels;

namespace Samples.Report;

/// <summary>How a classifier was trained, as the report's table.</summary>
internal static class SettingsTable
{
    /// <param name="network">The network, in a few words.</param>
    /// <param name="options">What training was told.</param>
    /// <param name="classifier">What came of it.</param>
    public static IReadOnlyList<(string Name, string Value)> Of(string network, ImageClassifierOptions options, ImageClassifierTransformer classifier) =>
    [
        ("network", network),
        ("input", $"{classifier.Preprocessing.OutputWidth} x {classifier.Preprocessing.OutputHeight} pixels"),
        ("classes", $"{classifier.Labels.Count}"),
        ("what learns", $"{options.TrainedParts}"),
        ("epochs", classifier.History!.StopReason == StopReason.Completed ? $"{options.Epochs}" : $"{classifier.History.Epochs.Count} of {options.Epochs} ({classifier.History.StopReason})"),
        ("best epoch", $"{classifier.History.BestEpoch}"),
        ("batch size", $"{options.BatchSize}"),
        ("learning rate", $"{options.LearningRate}"),
        ("weight decay", $"{options.WeightDecay}"),
        ("label smoothing", $"{options.LabelSmoothing}"),
        ("augmentation", $"{(options.HorizontalFlip ? "flips" : "no flips")}, {(options.CropPadding > 0 ? $"shifts of up to {options.CropPadding} px" : "no shifts")}"),
        ("validation", $"{options.ValidationFraction * 100:0.#} % of the training pictures"),
        ("device", classifier.Device),
    ];
}
