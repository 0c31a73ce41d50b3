namespace Microsoft.ML.VisionModels;

/// <summary>
/// Published sizes of ResNet (<see href="https://arxiv.org/abs/1512.03385"/>), as torchvision has them (its "v1.5", which halves a
/// bottleneck's map in the 3 x 3 convolution), and one for small images. Parameter counts are without the classification head.
/// </summary>
public enum ResNetPreset
{
    /// <summary>
    /// For images of 8 to 64 pixels, trained from scratch on a CPU: half of ResNet-18's width, 32, and of its blocks, and the stem that is
    /// usual for CIFAR, one 3 x 3 convolution that keeps the size; 1.2 million parameters.
    /// </summary>
    SmallImage,

    /// <summary>ResNet-18: 2 + 2 + 2 + 2 basic blocks, 512 features; 11 million parameters.</summary>
    ResNet18,

    /// <summary>ResNet-34: 3 + 4 + 6 + 3 basic blocks, 512 features; 21 million parameters.</summary>
    ResNet34,

    /// <summary>ResNet-50: 3 + 4 + 6 + 3 bottlenecks, 2048 features; 24 million parameters.</summary>
    ResNet50,

    /// <summary>ResNet-101: 3 + 4 + 23 + 3 bottlenecks, 2048 features; 43 million parameters.</summary>
    ResNet101,

    /// <summary>ResNet-152: 3 + 8 + 36 + 3 bottlenecks, 2048 features; 58 million parameters.</summary>
    ResNet152,
}
