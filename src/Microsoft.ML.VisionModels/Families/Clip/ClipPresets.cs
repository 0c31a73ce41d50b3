using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>The presets as plain numbers.</summary>
internal static class ClipPresets
{
    /// <exception cref="ArgumentOutOfRangeException">There is no such preset.</exception>
    public static ClipConfig Of(ClipPreset preset) => preset switch
    {
        ClipPreset.SmallImage => ClipConfig.Of(
            Vision(ViTPreset.SmallImage),
            new() { Positions = 32, Width = 128, Depth = 2, Heads = 4, MlpWidth = 256 }, embeddingSize: 128),
        ClipPreset.Base32 => ClipConfig.Of(Vision(ViTPreset.Base32), new(), embeddingSize: 512),
        ClipPreset.Base16 => ClipConfig.Of(Vision(ViTPreset.Base16), new(), embeddingSize: 512),
        ClipPreset.Large14 => ClipConfig.Of(Vision(ViTPreset.Large16) with { PatchSize = 14 }, new() { Width = 768, Heads = 12, MlpWidth = 3072 }, embeddingSize: 768),
        _ => throw new ArgumentOutOfRangeException(nameof(preset), preset, "Unknown preset."),
    };

    private static ViTConfig Vision(ViTPreset preset) => ViTConfig.Of(preset) with { Activation = Activation.QuickGelu, NormEps = 1e-5 };
}
