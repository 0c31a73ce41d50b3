namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The published sizes (arXiv 2304.02643, section 3; MobileSAM: arXiv 2306.14289).</summary>
internal static class SamPresets
{
    public static SamConfig Of(SamPreset preset) => preset switch
    {
        SamPreset.Base => new() { Vision = new() },
        SamPreset.Large => new() { Vision = new() { Width = 1024, Depth = 24, Heads = 16, MlpWidth = 4096, GlobalBlocks = [5, 11, 17, 23] } },
        SamPreset.Huge => new() { Vision = new() { Width = 1280, Depth = 32, Heads = 16, MlpWidth = 5120, GlobalBlocks = [7, 15, 23, 31] } },
        SamPreset.Mobile => new() { TinyVit = new() },
        _ => throw new ArgumentOutOfRangeException(nameof(preset), preset, "Unknown preset."),
    };
}
