namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>The presets as plain numbers.</summary>
internal static class SwinPresets
{
    /// <summary>The network of a preset, without a head.</summary>
    public static SwinConfig Of(SwinPreset preset) => preset switch
    {
        SwinPreset.SmallImage => new() { ImageSize = 32, PatchSize = 2, WindowSize = 4, Width = 48, Depths = [2, 4, 2], Heads = [2, 4, 8], MlpRatio = 2 },
        SwinPreset.Tiny => new(),
        SwinPreset.Small => new() { Depths = [2, 2, 18, 2] },
        SwinPreset.Base => new() { Depths = [2, 2, 18, 2], Width = 128, Heads = [4, 8, 16, 32] },
        SwinPreset.Large => new() { Depths = [2, 2, 18, 2], Width = 192, Heads = [6, 12, 24, 48] },
        SwinPreset.Base384 => Of(SwinPreset.Base) with { ImageSize = 384, WindowSize = 12 },
        SwinPreset.Large384 => Of(SwinPreset.Large) with { ImageSize = 384, WindowSize = 12 },
        SwinPreset.V2TinyWindow8 => V2(SwinPreset.Tiny, 256, 8),
        SwinPreset.V2TinyWindow16 => V2(SwinPreset.Tiny, 256, 16),
        SwinPreset.V2SmallWindow8 => V2(SwinPreset.Small, 256, 8),
        SwinPreset.V2SmallWindow16 => V2(SwinPreset.Small, 256, 16),
        SwinPreset.V2BaseWindow8 => V2(SwinPreset.Base, 256, 8),
        SwinPreset.V2BaseWindow16 => V2(SwinPreset.Base, 256, 16),
        SwinPreset.V2BaseWindow12 => V2(SwinPreset.Base, 192, 12),
        SwinPreset.V2BaseWindow12To16 => V2(SwinPreset.Base, 256, 16, pretrained: [12, 12, 12, 6]),
        SwinPreset.V2BaseWindow12To24 => V2(SwinPreset.Base, 384, 24, pretrained: [12, 12, 12, 6]),
        SwinPreset.V2LargeWindow12 => V2(SwinPreset.Large, 192, 12),
        SwinPreset.V2LargeWindow12To16 => V2(SwinPreset.Large, 256, 16, pretrained: [12, 12, 12, 6]),
        SwinPreset.V2LargeWindow12To24 => V2(SwinPreset.Large, 384, 24, pretrained: [12, 12, 12, 6]),
        _ => throw new ArgumentOutOfRangeException(nameof(preset), preset, "Unknown preset."),
    };

    private static SwinConfig V2(SwinPreset size, int imageSize, int window, int[]? pretrained = null) =>
        Of(size) with { Version = SwinVersion.V2, ImageSize = imageSize, WindowSize = window, PretrainedWindows = pretrained ?? [0, 0, 0, 0] };
}
