namespace Microsoft.ML.VisionModels;

/// <summary>The network that <c>mlContext.Transforms.SslFeaturizer</c> trains from random weights, and whose features it gives.</summary>
public enum SslBackbone
{
    /// <summary><see cref="ResNetPreset.SmallImage"/>: for images of 8 to 64 pixels, on a CPU; 256 features.</summary>
    ResNetSmallImage,

    /// <summary>ResNet-18; 512 features.</summary>
    ResNet18,

    /// <summary>ResNet-34; 512 features.</summary>
    ResNet34,

    /// <summary>ResNet-50; 2,048 features.</summary>
    ResNet50,

    /// <summary><see cref="ViTPreset.SmallImage"/>: for images of 8 to 64 pixels, on a CPU; 128 features.</summary>
    ViTSmallImage,

    /// <summary>ViT-Tiny/16; 192 features.</summary>
    ViTTiny16,

    /// <summary>ViT-Small/16, which DINO was published with; 384 features.</summary>
    ViTSmall16,

    /// <summary>ViT-Base/16; 768 features.</summary>
    ViTBase16,

    /// <summary><see cref="SwinPreset.SmallImage"/>: for images of 8 to 64 pixels, on a CPU; 192 features.</summary>
    SwinSmallImage,

    /// <summary>Swin-T; 768 features.</summary>
    SwinTiny,
}
