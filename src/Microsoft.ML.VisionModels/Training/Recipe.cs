namespace Microsoft.ML.VisionModels;

/// <summary>
/// How a classifier is trained, in one word: the values of those options that are left alone. Whatever is set beside it counts.
/// </summary>
public enum Recipe
{
    /// <summary>Cross entropy and AdamW; no augmentation, no smoothing, no average.</summary>
    Plain,

    /// <summary>
    /// From random weights, on images that are small or few: mirror images, shifts, label smoothing and the average of the weights,
    /// and the more of RandAugment, erasing, mixup, cutmix and stochastic depth the longer is trained (after DeiT, arXiv 2012.12877,
    /// and "How to train your ViT?", arXiv 2106.10270).
    /// </summary>
    FromScratchSmall,

    /// <summary>
    /// From published weights, below the head too: a small learning rate that falls from block to block towards the input, crops of
    /// many sizes, mirror images, gentle RandAugment, label smoothing, stochastic depth (after BEiT and MAE).
    /// </summary>
    FineTune,

    /// <summary>The head alone on published features: crops, mirror images, and no regularization.</summary>
    LinearProbe,
}
