namespace Microsoft.ML.VisionModels;

/// <summary>
/// Published sizes of the Swin Transformer (<see href="https://arxiv.org/abs/2103.14030"/>) and of Swin V2
/// (<see href="https://arxiv.org/abs/2111.09883"/>), and one for small images. Patches are of 4 x 4 pixels and windows of so many
/// tokens each way as said; parameter counts are without the classification head.
/// </summary>
public enum SwinPreset
{
    /// <summary>For images of 8 to 64 pixels, trained from scratch on a CPU: 32 x 32, patch 2, window 4, width 48, 2 + 4 + 2 blocks; 1.0 million parameters.</summary>
    SmallImage,

    /// <summary>Swin-T: 224 x 224, window 7, width 96, 2 + 2 + 6 + 2 blocks; 28 million parameters.</summary>
    Tiny,

    /// <summary>Swin-S: 224 x 224, window 7, width 96, 2 + 2 + 18 + 2 blocks; 49 million parameters.</summary>
    Small,

    /// <summary>Swin-B: 224 x 224, window 7, width 128, 2 + 2 + 18 + 2 blocks; 87 million parameters.</summary>
    Base,

    /// <summary>Swin-L: 224 x 224, window 7, width 192, 2 + 2 + 18 + 2 blocks; 195 million parameters.</summary>
    Large,

    /// <summary>Swin-B for images of 384 x 384, window 12.</summary>
    Base384,

    /// <summary>Swin-L for images of 384 x 384, window 12.</summary>
    Large384,

    /// <summary>SwinV2-T: 256 x 256, window 8; 28 million parameters.</summary>
    V2TinyWindow8,

    /// <summary>SwinV2-T: 256 x 256, window 16.</summary>
    V2TinyWindow16,

    /// <summary>SwinV2-S: 256 x 256, window 8; 49 million parameters.</summary>
    V2SmallWindow8,

    /// <summary>SwinV2-S: 256 x 256, window 16.</summary>
    V2SmallWindow16,

    /// <summary>SwinV2-B: 256 x 256, window 8; 87 million parameters.</summary>
    V2BaseWindow8,

    /// <summary>SwinV2-B: 256 x 256, window 16.</summary>
    V2BaseWindow16,

    /// <summary>SwinV2-B: 192 x 192, window 12.</summary>
    V2BaseWindow12,

    /// <summary>SwinV2-B, pretrained at 192 x 192 with window 12, for 256 x 256 with window 16.</summary>
    V2BaseWindow12To16,

    /// <summary>SwinV2-B, pretrained at 192 x 192 with window 12, for 384 x 384 with window 24.</summary>
    V2BaseWindow12To24,

    /// <summary>SwinV2-L: 192 x 192, window 12; 195 million parameters.</summary>
    V2LargeWindow12,

    /// <summary>SwinV2-L, pretrained at 192 x 192 with window 12, for 256 x 256 with window 16.</summary>
    V2LargeWindow12To16,

    /// <summary>SwinV2-L, pretrained at 192 x 192 with window 12, for 384 x 384 with window 24.</summary>
    V2LargeWindow12To24,
}
