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

    /// <summary>The network, in a few words.</summary>
    public static string Network(ViTClassifierOptions options) => options.Checkpoint is { } checkpoint
        ? $"from {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint))}"
        : $"ViT, preset {options.Preset}, from random weights";

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
