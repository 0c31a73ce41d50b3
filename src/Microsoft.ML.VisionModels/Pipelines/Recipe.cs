namespace Microsoft.ML.VisionModels;

/// <summary>
/// How a classifier is trained, in one word: the values of those options that are left alone. Whatever is set beside it counts.
/// </summary>
public enum Recipe
{
    /// <summary>Cross entropy and AdamW; no augmentation, no smoothing, no average.</summary>
    Plain,

    /// <summary>
    /// From random weights, on pictures that are small or few, for 10 to 300 epochs: mirror images, shifts, RandAugment, erasing,
    /// mixup and cutmix, label smoothing, stochastic depth, and the average of the weights (after DeiT, arXiv 2012.12877).
    /// </summary>
    FromScratchSmall,

    /// <summary>
    /// From published weights, below the head too: a small learning rate that falls from block to block towards the input, crops of
    /// many sizes, mirror images, gentle RandAugment, label smoothing, stochastic depth (after BEiT and MAE).
    /// </summary>
    FineTune,

    /// <summary>The head alone on published features: crops, mirror images, and no regularisation.</summary>
    LinearProbe,
}
