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
        ("recipe", options.Recipe?.ToString() ?? "by what learns"),
        ("augmentation", string.Join(", ", Augmentation(options))),
        ("validation", $"{options.ValidationFraction * 100:0.#} % of the training images"),
        ("device", classifier.Device),
    ];

    private static IEnumerable<string> Augmentation(ImageClassifierOptions options)
    {
        yield return options.HorizontalFlip ? "mirror images" : "no mirror images";
        if (options.CropPadding is { } padding)
            yield return padding > 0 ? $"shifts of up to {padding} px" : "no shifts";
        if (options.MinCropArea < 1)
            yield return $"crops from {options.MinCropArea * 100:0} % of the area";
        if (options.RandAugmentOperations > 0)
            yield return $"RandAugment {options.RandAugmentOperations} x {options.RandAugmentMagnitude:0.##}";
        if (options.RandomErasing > 0)
            yield return $"erasing {options.RandomErasing:0.##}";
        if (options.MixProbability > 0 && options.MixUp + options.CutMix > 0)
            yield return $"mixing of {options.MixProbability * 100:0} % of the batches";
    }
}
