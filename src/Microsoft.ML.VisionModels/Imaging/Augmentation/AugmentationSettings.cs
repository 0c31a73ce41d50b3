namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>What happens to the images of a training; by default nothing.</summary>
internal sealed record AugmentationSettings
{
    /// <summary>Whether every second image is mirrored.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Whether every second image is turned upside down.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>By how many pixels images are shifted at most; 0 for none.</summary>
    public int CropPadding { get; init; }

    /// <summary>The smallest part of the image that a resized crop takes, of its area, above 0; 1 for no resized crop.</summary>
    public double MinCropArea { get; init; } = 1;

    /// <summary>By how much brightness, contrast and saturation change at most, 0 to 1.</summary>
    public double ColorJitter { get; init; }

    /// <summary>How many operations of RandAugment each image gets; 0 for none.</summary>
    public int RandAugmentOperations { get; init; }

    /// <summary>How strong RandAugment's operations are, 0 to 1.</summary>
    public double RandAugmentMagnitude { get; init; } = 0.3;

    /// <summary>The probability that a box of an image is erased.</summary>
    public double RandomErasing { get; init; }

    /// <summary>The parameter of mixup's Beta distribution; 0 for no mixup.</summary>
    public double MixUpAlpha { get; init; }

    /// <summary>The parameter of cutmix's Beta distribution; 0 for no cutmix.</summary>
    public double CutMixAlpha { get; init; }

    /// <summary>The probability that a batch is mixed, where mixup or cutmix is on.</summary>
    public double MixProbability { get; init; } = 1;
}
