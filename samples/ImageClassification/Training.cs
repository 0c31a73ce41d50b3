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
            Preset = settings.Preset,
            SkipInvalidImages = true,
            Device = settings.Device,
        };
        if (settings.Checkpoint is null && settings.Data is null)
            ForDigits(options);
        if (settings.Data is null)
            options.HorizontalFlip = false;   // a mirrored digit is no digit
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
        ("input", $"{classifier.Preprocessing.OutputWidth} x {classifier.Preprocessing.OutputHeight} pixels"),
        ("classes", $"{classifier.Labels.Count}"),
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

    // The digits' 8 x 8 pixels are enlarged to 16 x 16, so that they can be shifted by half a pixel, and cut into 4 x 4 patches.
    private static void ForDigits(ViTClassifierOptions options)
    {
        options.ImageSize = 16;
        options.PatchSize = 4;
        options.Epochs = 50;
        options.BatchSize = 32;
        options.EarlyStoppingPatience = 0;
        options.CropPadding = 1;
    }
}
