namespace Microsoft.ML.VisionModels;

/// <summary>
/// Published sizes of the Vision Transformer (<see href="https://arxiv.org/abs/2010.11929"/>), of DeiT
/// (<see href="https://arxiv.org/abs/2012.12877"/>) and of DINOv2's largest (<see href="https://arxiv.org/abs/2304.07193"/>), and one
/// for small images. The number in a name is the side of a patch in pixels, of which weights in a file tell their own; all but <see cref="SmallImage"/> are for images of 224 x 224. Parameter counts are without the classification head.
/// </summary>
public enum ViTPreset
{
    /// <summary>For images of 8 to 64 pixels, trained from scratch on a CPU: 32 x 32, patch 4, width 128, 6 blocks, 4 heads; 0.8 million parameters.</summary>
    SmallImage,

    /// <summary>ViT-Tiny/16: width 192, 12 blocks, 3 heads; 5.5 million parameters.</summary>
    Tiny16,

    /// <summary>ViT-Small/16: width 384, 12 blocks, 6 heads; 22 million parameters.</summary>
    Small16,

    /// <summary>ViT-Small/32: width 384, 12 blocks, 6 heads; 22 million parameters.</summary>
    Small32,

    /// <summary>ViT-Base/16: width 768, 12 blocks, 12 heads; 86 million parameters.</summary>
    Base16,

    /// <summary>ViT-Base/32: width 768, 12 blocks, 12 heads; 87 million parameters.</summary>
    Base32,

    /// <summary>ViT-Large/16: width 1024, 24 blocks, 16 heads; 303 million parameters.</summary>
    Large16,

    /// <summary>ViT-Large/32: width 1024, 24 blocks, 16 heads; 306 million parameters.</summary>
    Large32,

    /// <summary>ViT-Huge/14: width 1280, 32 blocks, 16 heads; 631 million parameters.</summary>
    Huge14,

    /// <summary>DeiT-Tiny/16, the network of <see cref="Tiny16"/>.</summary>
    DeiTTiny16,

    /// <summary>DeiT-Small/16, the network of <see cref="Small16"/>.</summary>
    DeiTSmall16,

    /// <summary>DeiT-Base/16, the network of <see cref="Base16"/>.</summary>
    DeiTBase16,

    /// <summary>DeiT-Tiny/16 with a distillation token and a second head.</summary>
    DeiTTiny16Distilled,

    /// <summary>DeiT-Small/16 with a distillation token and a second head.</summary>
    DeiTSmall16Distilled,

    /// <summary>DeiT-Base/16 with a distillation token and a second head.</summary>
    DeiTBase16Distilled,

    /// <summary>DINOv2's ViT-g/14: width 1536, 40 blocks, 24 heads, SwiGLU in place of the MLP, layer scale; 1.1 billion parameters.</summary>
    Giant14,
}
