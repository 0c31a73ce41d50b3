using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.VisionModels;

namespace ImageClassification;

/// <summary>Trains the model: the labels become keys, the classifier learns, and its answer becomes text again.</summary>
internal static class Training
{
    public static TransformerChain<KeyToValueMappingTransformer> Fit(MLContext mlContext, IDataView train, ViTClassifierOptions options)
    {
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(mlContext.Transforms.ViTClassifier(options))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Prediction", "PredictedLabel"));
        return pipeline.Fit(train);
    }

    public static ViTClassifierOptions Options(Settings settings)
    {
        var options = new ViTClassifierOptions
        {
            ImageColumnName = "ImagePath",
            AttentionColumnName = "Attention",
            Checkpoint = settings.Checkpoint,
            SkipInvalidImages = true,
            Device = settings.Device,
        };
        if (settings.Data is null)
            ForDigits(options);
        options.Epochs = settings.Epochs ?? options.Epochs;
        options.BatchSize = settings.BatchSize ?? options.BatchSize;
        options.ImageSize = settings.ImageSize ?? options.ImageSize;
        options.PatchSize = settings.PatchSize ?? options.PatchSize;
        return options;
    }

    /// <summary>The settings for the report.</summary>
    public static IReadOnlyList<(string Name, string Value)> Describe(ViTClassifierOptions options, ViTClassifierTransformer classifier) =>
    [
        ("network", options.Checkpoint is { } checkpoint ? $"from {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint))}" : $"ViT, preset {options.Preset}, from random weights"),
        ("picture size of the network", $"{classifier.Preprocessing.OutputWidth} x {classifier.Preprocessing.OutputHeight}"),
        ("classes", $"{classifier.Labels.Count}"),
        ("epochs", classifier.History!.StopReason == StopReason.Completed ? $"{options.Epochs}" : $"{classifier.History.Epochs.Count} of {options.Epochs} ({classifier.History.StopReason})"),
        ("best epoch", $"{classifier.History.BestEpoch}"),
        ("batch size", $"{options.BatchSize}"),
        ("learning rate", $"{options.LearningRate}"),
        ("weight decay", $"{options.WeightDecay}"),
        ("label smoothing", $"{options.LabelSmoothing}"),
        ("augmentation", $"{(options.HorizontalFlip ? "horizontal flips" : "no flips")}, shifts of up to {options.CropPadding} pixels"),
        ("validation", $"{options.ValidationFraction * 100:0.#} % of the training pictures"),
        ("device", classifier.Device),
    ];

    private static void ForDigits(ViTClassifierOptions options)
    {
        options.ImageSize = 8;
        options.PatchSize = 2;
        options.Epochs = 40;
        options.CropPadding = 1;
        options.HorizontalFlip = false;   // a mirrored digit is no digit
    }
}
