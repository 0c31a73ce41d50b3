using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>The values of a recipe.</summary>
internal sealed record RecipeDefaults : TrainerDefaults
{
    public double LabelSmoothing { get; init; }
    public double DropPath { get; init; }

    /// <summary>Shifts, as a share of the picture's side.</summary>
    public double CropShare { get; init; }

    public AugmentationSettings Augmentation { get; init; } = new();

    /// <param name="recipe">The recipe.</param>
    /// <param name="epochs">
    /// How long is trained. Regularisation costs time before it pays (Steiner et al., "How to train your ViT?", arXiv 2106.10270): what
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
            CropShare = 0.125,
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
