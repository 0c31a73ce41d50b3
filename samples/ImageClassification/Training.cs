using Microsoft.ML.VisionModels;
using Samples;

namespace ImageClassification;

/// <summary>How the model is trained.</summary>
internal static class Training
{
    public static ImageClassifierOptions Options(Settings settings)
    {
        var isDigits = settings.Data is null;
        // The digits' 8 x 8 pixels are enlarged to 16 x 16, so that they can be shifted by half a pixel, and cut into patches of 2 x 2 of them.
        var small = isDigits && settings.Checkpoint is null;
        ImageClassifierOptions options = settings.Network switch
        {
            ImageClassification.Network.Swin => new SwinClassifierOptions
            {
                Preset = OneOf<SwinPreset>.Parse(settings.Preset),
                ImageSize = settings.ImageSize ?? (small ? 16 : null),
                PatchSize = settings.PatchSize,
            },
            _ => new ViTClassifierOptions
            {
                Preset = OneOf<ViTPreset>.Parse(settings.Preset),
                ImageSize = settings.ImageSize ?? (small ? 16 : null),
                PatchSize = settings.PatchSize ?? (small ? 4 : null),
            },
        };
        options.ImageColumnName = "ImagePath";
        options.AttentionColumnName = "Attention";
        options.Checkpoint = settings.Checkpoint;
        options.SkipInvalidImages = true;
        options.Device = settings.Device;
        if (small)
        {
            options.Epochs = 50;
            options.BatchSize = 32;
            options.EarlyStoppingPatience = 0;
            // 8 x 8 pixels have nothing to spare for erasing and mixing.
            (options.Recipe, options.LabelSmoothing, options.CropPadding) = (Recipe.Plain, 0.1, 1);
        }
        if (isDigits || settings.NoFlips)
            options.HorizontalFlip = false;   // a mirrored digit is no digit
        options.Recipe = settings.Recipe ?? options.Recipe;
        options.Epochs = settings.Epochs ?? options.Epochs;
        options.BatchSize = settings.BatchSize ?? options.BatchSize;
        return options;
    }

    /// <summary>The network, in a few words.</summary>
    public static string Network(Settings settings) => settings.Checkpoint is { } checkpoint
        ? $"from {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint))}"
        : $"{settings.Network}, preset {settings.Preset}, from random weights";
}
