using Microsoft.ML.VisionModels.Imaging.Augmentation;

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

/// <summary>The values of those options that depend on how a network is trained.</summary>
internal sealed record RecipeDefaults
{
    public static RecipeDefaults Plain { get; } = new();

    /// <summary>Below the head of a network that has seen millions of images, whose features shall stay what they are.</summary>
    public static RecipeDefaults Gentle { get; } = new() { LearningRate = 1e-5 };

    public double LearningRate { get; init; } = 1e-3;
    public double WeightDecay { get; init; } = 0.05;
    public double EmaDecay { get; init; }
    public double LayerDecay { get; init; } = 1;
    public double LabelSmoothing { get; init; }
    public double DropPath { get; init; }

    /// <summary>Shifts, as a share of the image's side.</summary>
    public double CropShare { get; init; }

    public AugmentationSettings Augmentation { get; init; } = new();

    /// <summary>This recipe, stronger or weaker: what hides, changes or blurs what is learned from counts as many times as much.</summary>
    public RecipeDefaults Times(double strength) => strength == 1 ? this : this with
    {
        LabelSmoothing = Math.Min(0.5, strength * LabelSmoothing),
        DropPath = Math.Min(0.5, strength * DropPath),
        CropShare = Math.Min(0.5, strength * CropShare),
        Augmentation = Augmentation with
        {
            MinCropArea = Math.Max(0.05, 1 - strength * (1 - Augmentation.MinCropArea)),
            RandAugmentMagnitude = Math.Min(1, strength * Augmentation.RandAugmentMagnitude),
            RandomErasing = Math.Min(1, strength * Augmentation.RandomErasing),
            MixProbability = Augmentation.MixUpAlpha + Augmentation.CutMixAlpha > 0 ? Math.Min(1, strength * Augmentation.MixProbability) : Augmentation.MixProbability,
        },
    };

    /// <param name="recipe">The recipe.</param>
    /// <param name="epochs">
    /// How long is trained. Regularization costs time before it pays (Steiner et al., "How to train your ViT?", arXiv 2106.10270): what
    /// is wanted over a hundred epochs keeps a network from learning in ten.
    /// </param>
    public static RecipeDefaults Of(Recipe recipe, int epochs) => recipe switch
    {
        Recipe.Plain => new(),
        Recipe.FromScratchSmall => FromScratch(epochs),
        Recipe.FineTune => new()
        {
            LearningRate = 3e-4,
            LabelSmoothing = 0.1,
            LayerDecay = 0.75,
            DropPath = 0.1,
            Augmentation = new() { HorizontalFlip = true, MinCropArea = 0.35, RandAugmentOperations = 2, RandAugmentMagnitude = 0.3 },
        },
        Recipe.LinearProbe => new()
        {
            WeightDecay = 0,
            Augmentation = new() { HorizontalFlip = true, MinCropArea = 0.35 },
        },
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe, "Unknown recipe."),
    };

    private static RecipeDefaults FromScratch(int epochs)
    {
        var strength = Math.Min(1, epochs / 100.0);
        return new()
        {
            LabelSmoothing = 0.1,
            EmaDecay = 0.998,
            DropPath = 0.1 * strength,
            CropShare = 0.125 * Math.Min(1, epochs / 16.0),
            Augmentation = new()
            {
                HorizontalFlip = true,
                RandAugmentOperations = epochs >= 70 ? 2 : epochs >= 20 ? 1 : 0,
                RandAugmentMagnitude = 0.3,
                RandomErasing = 0.25 * strength,
                MixUpAlpha = 0.2,
                CutMixAlpha = 1,
                MixProbability = 0.5 * strength,
            },
        };
    }
}
