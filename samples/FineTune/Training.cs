using System.Text.Json;
using Microsoft.ML.VisionModels;
using Samples;

namespace FineTune;

/// <summary>How the checkpoint is fine-tuned.</summary>
internal static class Training
{
    /// <summary>The options of the family that the checkpoint's config.json names.</summary>
    /// <exception cref="ArgumentException">The folder has no config.json, or it names a family that this sample does not know.</exception>
    public static ImageClassifierOptions Options(Settings settings)
    {
        ImageClassifierOptions options = ModelType(settings.Checkpoint) switch
        {
            "vit" or "deit" => new ViTClassifierOptions(),
            "resnet" => new ResNetClassifierOptions(),
            "swin" or "swinv2" => new SwinClassifierOptions(),
            var other => throw new ArgumentException($"{settings.Checkpoint}: the model_type '{other}' is none that this sample fine-tunes."),
        };
        options.ImageColumnName = "ImagePath";
        options.AttentionColumnName = "Attention";
        options.Checkpoint = settings.Checkpoint;
        options.TrainedParts = settings.TrainedParts;
        options.Epochs = settings.Epochs;
        options.BatchSize = settings.BatchSize;
        options.Recipe = settings.Recipe;
        if (settings.NoFlips)
            options.HorizontalFlip = false;
        options.SnapshotFolder = Path.Combine(settings.Out, "snapshot");    // started again after a crash, it goes on from there
        options.SkipInvalidImages = true;
        options.Device = settings.Device;
        return options;
    }

    private static string? ModelType(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        if (!File.Exists(path))
            throw new ArgumentException($"{folder} is no model folder as Hugging Face publishes it: it has no config.json.");
        using var config = JsonDocument.Parse(File.ReadAllBytes(path));
        return config.RootElement.TryGetProperty("model_type", out var type) ? type.GetString() : null;
    }
}
