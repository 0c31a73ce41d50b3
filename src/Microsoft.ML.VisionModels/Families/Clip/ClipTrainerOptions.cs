using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.ClipTrainer</c> can be told. In a batch, an image's text is its own and those that say the same, so that
/// larger batches teach more; with <see cref="TrainerOptions.AccumulationSteps"/> each part of a batch is one by itself, which is not the
/// same. There is no recipe: <see cref="TrainerOptions.LearningRate"/> is 1e-3 by default and 1e-5 with a checkpoint,
/// <see cref="TrainerOptions.LayerDecay"/> 1.
/// </summary>
public sealed class ClipTrainerOptions : TrainerOptions, IClipCheckpoint
{
    /// <summary>The column of texts that describe them. Default "Text".</summary>
    [ScoringSetting]
    public string TextColumnName { get; set; } = "Text";

    /// <summary>The column for the image's vector of length 1. Default "ImageEmbedding".</summary>
    [ScoringSetting]
    public string ImageEmbeddingColumnName { get; set; } = "ImageEmbedding";

    /// <summary>The column for the text's vector of length 1. Default "TextEmbedding".</summary>
    [ScoringSetting]
    public string TextEmbeddingColumnName { get; set; } = "TextEmbedding";

    /// <summary>The network's size, where there is no <see cref="Checkpoint"/>. Default <see cref="ClipPreset.SmallImage"/>.</summary>
    public ClipPreset Preset { get; set; }

    /// <summary>Height and width of the network's input in pixels, a multiple of the patch; null takes the preset's. A checkpoint has its own.</summary>
    public int? ImageSize { get; set; }

    /// <summary>Height and width of a patch in pixels; null takes the preset's. A checkpoint has its own.</summary>
    public int? PatchSize { get; set; }

    /// <summary>
    /// The tokenizer's folder or file, where it does not lie beside the weights. Null without a <see cref="Checkpoint"/> learns one of
    /// <see cref="VocabularySize"/> from the texts.
    /// </summary>
    public string? Tokenizer { get; set; }

    /// <inheritdoc cref="ClipZeroShotOptions.QuickGelu"/>
    public bool? QuickGelu { get; set; }

    /// <summary>Tokens of a tokenizer that is learned, at least 514: all bytes, within a word and at its end, and two marks. Default 2048.</summary>
    public int VocabularySize { get; set; } = 2048;

    /// <summary>What learns. Default <see cref="ClipTrainedTowers.Both"/>; the others need a <see cref="Checkpoint"/>.</summary>
    public ClipTrainedTowers TrainedTowers { get; set; }

    /// <summary>
    /// How far the final weights lie from the checkpoint's to the trained ones, 0 to 1: in between, what was learned is often kept with more
    /// of what was known (WiSE-FT, arXiv 2109.01903). Default 1, the trained weights; below it a <see cref="Checkpoint"/> is needed.
    /// </summary>
    public double WeightInterpolation { get; set; } = 1;

    /// <summary>In training, mirror half of the images; not where texts speak of left and right. Default false.</summary>
    public bool HorizontalFlip { get; set; }

    /// <summary>In training, cut out a part of the image of at least this share of its area and scale it up; above 0 to 1, which does not. Default 0.9.</summary>
    public double MinCropArea { get; set; } = 0.9;

    internal override IEnumerable<InputColumn> Inputs => [.. base.Inputs, TextColumn.Input(TextColumnName)];

    internal override IEnumerable<string?> OutputNames => [ImageEmbeddingColumnName, TextEmbeddingColumnName];

    private protected override RecipeDefaults Defaults => Checkpoint is null ? RecipeDefaults.Plain : RecipeDefaults.Gentle;

    private protected override IEnumerable<string> NoPartInLearning => [.. base.NoPartInLearning, nameof(Tokenizer), nameof(WeightInterpolation)];

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Preset, nameof(Preset));
        OptionChecks.RequireDefined(TrainedTowers, nameof(TrainedTowers));
        OptionChecks.RequireAtLeast(ImageSize, 1);
        OptionChecks.RequireAtLeast(PatchSize, 1);
        if (Checkpoint is not null && (ImageSize ?? PatchSize) is { } size)
            throw new ArgumentException($"{(ImageSize is null ? nameof(PatchSize) : nameof(ImageSize))} is {size}, but a checkpoint has its own.");
        OptionChecks.Require(BatchSize, BatchSize >= 2 * AccumulationSteps, "at least 2 for each of the AccumulationSteps: a row alone has no other to tell it from");
        OptionChecks.Require(VocabularySize, VocabularySize >= 514, "at least 514");
        OptionChecks.Require(WeightInterpolation, WeightInterpolation is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(MinCropArea, MinCropArea is > 0 and <= 1, "above 0 and at most 1 (the whole image)");
        if (Checkpoint is null && (TrainedTowers != ClipTrainedTowers.Both || WeightInterpolation < 1))
            throw new ArgumentException($"{nameof(TrainedTowers)} and {nameof(WeightInterpolation)} need a {nameof(Checkpoint)} to start from.");
    }

    internal AugmentationSettings Augmentation() => new() { HorizontalFlip = HorizontalFlip, MinCropArea = MinCropArea };
}
