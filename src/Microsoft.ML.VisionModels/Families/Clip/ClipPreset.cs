namespace Microsoft.ML.VisionModels;

/// <summary>
/// Published sizes of CLIP (<see href="https://arxiv.org/abs/2103.00020"/>), and one for small images. The number in a name is the
/// side of a patch in pixels; all but <see cref="SmallImage"/> are for images of 224 x 224 and texts of 77 tokens.
/// </summary>
public enum ClipPreset
{
    /// <summary>
    /// For images of 8 to 64 pixels and short texts, trained from scratch on a CPU: 32 x 32, patch 4, width 128, 6 blocks; texts of 32
    /// tokens, width 128, 2 blocks; vectors of 128.
    /// </summary>
    SmallImage,

    /// <summary>ViT-B/32: vision width 768, 12 blocks; text width 512, 12 blocks; vectors of 512; 151 million parameters.</summary>
    Base32,

    /// <summary>ViT-B/16: as <see cref="Base32"/> with smaller patches; 150 million parameters.</summary>
    Base16,

    /// <summary>ViT-L/14: vision width 1024, 24 blocks; text width 768, 12 blocks; vectors of 768; 428 million parameters.</summary>
    Large14,
}
