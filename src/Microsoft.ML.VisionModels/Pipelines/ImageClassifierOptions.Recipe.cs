using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;

namespace Microsoft.ML.VisionModels;

/// <content>How a classifier is trained: the recipe, and what it is made of.</content>
public abstract partial class ImageClassifierOptions
{
    private bool? _horizontalFlip;
    private double? _labelSmoothing, _dropPath, _minCropArea, _randAugmentMagnitude, _randomErasing, _mixUp, _cutMix, _mixProbability;
    private int? _randAugmentOperations;

    /// <summary>
    /// How to train, in one word: it sets the options of augmentation and regularization that are left alone. Null, the default,
    /// takes <see cref="Recipe.FromScratchSmall"/>, with a <see cref="Checkpoint"/> <see cref="Recipe.FineTune"/>, and with
    /// <see cref="TrainedParts.Head"/> <see cref="Recipe.LinearProbe"/>.
    /// </summary>
    public Recipe? Recipe { get; set; }

    /// <summary>
    /// How strong the recipe is: by how much its label smoothing, stochastic depth, shifts, crops, RandAugment's magnitude, erasing and
    /// mixing are multiplied; at least 0. Default 1. What you set yourself is not multiplied. Sweeps search this instead of its parts.
    /// </summary>
    [Range(0.0, 2.0, 1.0)]
    public double RecipeStrength { get; set; } = 1;

    /// <summary>The share of each target that is spread over all classes, 0 to below 1. By the recipe: 0.1 from scratch and in fine-tuning.</summary>
    public double LabelSmoothing { get => _labelSmoothing ?? Values.LabelSmoothing; set => _labelSmoothing = value; }

    /// <summary>
    /// In training, the chance of leaving out a residual branch of the last block, growing linearly from 0 at the first (arXiv
    /// 1603.09382); 0 to below 1. By the recipe: 0.1 in fine-tuning, and from scratch 0.1 for 100 epochs and less for fewer.
    /// </summary>
    [Range(0.0, 0.4, 0.03)]
    public double DropPath { get => _dropPath ?? Values.DropPath; set => _dropPath = value; }

    /// <summary>In training, mirror half of the images. By every recipe but the plain one; set false where left and right matter, as in text.</summary>
    public bool HorizontalFlip { get => _horizontalFlip ?? Values.Augmentation.HorizontalFlip; set => _horizontalFlip = value; }

    /// <summary>In training, turn half of the images upside down: for images without an up, as from a satellite or a microscope. Default false.</summary>
    public bool VerticalFlip { get; set; }

    /// <summary>
    /// In training, shift images by up to this many pixels (of the network's input) each way; 0 does not. Null, the default, goes
    /// by the recipe: from scratch an eighth of the image's side, and less below 16 epochs.
    /// </summary>
    public int? CropPadding { get; set; }

    /// <summary>
    /// In training, cut out a part of the image of at least this share of its area and scale it up (random resized crop); above 0
    /// to 1, which does not. By the recipe: 0.35 where published weights are used.
    /// </summary>
    public double MinCropArea { get => _minCropArea ?? Values.Augmentation.MinCropArea; set => _minCropArea = value; }

    /// <summary>In training, change brightness, contrast and saturation by a factor of up to this much from 1; 0, the default, does not.</summary>
    public double ColorJitter { get; set; }

    /// <summary>RandAugment (arXiv 1909.13719): how many operations each training image goes through, drawn anew each time; 0 for none. By the recipe: 2 in fine-tuning, and from scratch 2 from 70 epochs on, 1 from 20.</summary>
    public int RandAugmentOperations { get => _randAugmentOperations ?? Values.Augmentation.RandAugmentOperations; set => _randAugmentOperations = value; }

    /// <summary>RandAugment's strength, 0 to 1 of each operation's full range. By the recipe: 0.3.</summary>
    public double RandAugmentMagnitude { get => _randAugmentMagnitude ?? Values.Augmentation.RandAugmentMagnitude; set => _randAugmentMagnitude = value; }

    /// <summary>Random erasing (arXiv 1708.04896): the chance that a rectangle of a training image becomes noise, 0 to 1. By the recipe: from scratch 0.25 for 100 epochs and less for fewer.</summary>
    public double RandomErasing { get => _randomErasing ?? Values.Augmentation.RandomErasing; set => _randomErasing = value; }

    /// <summary>Mixup (arXiv 1710.09412): alpha of the beta distribution by which pairs of training images are blended; 0 does not. By the recipe: 0.2 from scratch.</summary>
    public double MixUp { get => _mixUp ?? Values.Augmentation.MixUpAlpha; set => _mixUp = value; }

    /// <summary>CutMix (arXiv 1905.04899): alpha of the beta distribution by which a rectangle of another image is pasted in; 0 does not. By the recipe: 1 from scratch.</summary>
    public double CutMix { get => _cutMix ?? Values.Augmentation.CutMixAlpha; set => _cutMix = value; }

    /// <summary>The chance that a batch is mixed, 0 to 1; where both are on, mixup or cutmix is drawn for each batch. By the recipe: from scratch 0.5 for 100 epochs and less for fewer; else 1, for a <see cref="MixUp"/> or <see cref="CutMix"/> that you set.</summary>
    public double MixProbability { get => _mixProbability ?? Values.Augmentation.MixProbability; set => _mixProbability = value; }

    /// <summary>What is done where some classes have many more rows than others. Default <see cref="ClassBalance.None"/>.</summary>
    public ClassBalance ClassBalance { get; set; }

    /// <summary>By how much the weight of a class's rows in the loss is multiplied, by the class's name, on top of <see cref="ClassBalance"/>; at least 0, and 1 for those that are not named. A name that is no class is an error. Null, the default, multiplies by nothing.</summary>
    public IReadOnlyDictionary<string, double>? ClassWeights { get; set; }

    private protected override RecipeDefaults Defaults => Values;

    /// <summary>The values of the recipe.</summary>
    private RecipeDefaults Values => RecipeDefaults.Of(Recipe ?? (Checkpoint is null ? VisionModels.Recipe.FromScratchSmall
        : TrainedParts == TrainedParts.Head ? VisionModels.Recipe.LinearProbe
        : VisionModels.Recipe.FineTune), Epochs).Times(RecipeStrength);

    /// <summary>What is done to training images of a size.</summary>
    internal AugmentationSettings AugmentationFor(ImageSize size) => new()
    {
        HorizontalFlip = HorizontalFlip,
        VerticalFlip = VerticalFlip,
        CropPadding = CropPadding ?? (int)Math.Round(Values.CropShare * Math.Min(size.Height, size.Width)),
        MinCropArea = MinCropArea,
        ColorJitter = ColorJitter,
        RandAugmentOperations = RandAugmentOperations,
        RandAugmentMagnitude = RandAugmentMagnitude,
        RandomErasing = RandomErasing,
        MixUpAlpha = MixUp,
        CutMixAlpha = CutMix,
        MixProbability = MixProbability,
    };

    private void ValidateRecipe()
    {
        if (Recipe is { } recipe)
            OptionChecks.RequireDefined(recipe, nameof(Recipe));
        OptionChecks.Require(RecipeStrength, RecipeStrength >= 0 && double.IsFinite(RecipeStrength), "at least 0");
        OptionChecks.Require(LabelSmoothing, LabelSmoothing is >= 0 and < 1, "at least 0 and below 1");
        OptionChecks.Require(DropPath, DropPath is >= 0 and < 1, "at least 0 and below 1");
        if (CropPadding is { } padding)
            OptionChecks.Require(padding, padding >= 0, "at least 0", nameof(CropPadding));
        OptionChecks.Require(MinCropArea, MinCropArea is > 0 and <= 1, "above 0 and at most 1 (the whole image)");
        OptionChecks.Require(ColorJitter, ColorJitter is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(RandAugmentOperations, RandAugmentOperations >= 0, "at least 0");
        OptionChecks.Require(RandAugmentMagnitude, RandAugmentMagnitude is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(RandomErasing, RandomErasing is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(MixUp, MixUp >= 0 && double.IsFinite(MixUp), "at least 0");
        OptionChecks.Require(CutMix, CutMix >= 0 && double.IsFinite(CutMix), "at least 0");
        OptionChecks.Require(MixProbability, MixProbability is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.RequireDefined(ClassBalance, nameof(ClassBalance));
        foreach (var (name, weight) in ClassWeights ?? new Dictionary<string, double>())
            OptionChecks.Require(weight, weight >= 0 && double.IsFinite(weight), "at least 0", $"{nameof(ClassWeights)}[{name}]");
    }
}
