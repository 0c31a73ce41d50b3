using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.ClipTrainer</c> can be told. In a batch, an image's text is its own and those that say the same, so that
/// larger batches teach more; with <see cref="TrainerOptions.AccumulationSteps"/> each part of a batch is one by itself, which is not the
/// same. There is no recipe: <see cref="TrainerOptions.LearningRate"/> is 1e-3 by default and 1e-5 with a checkpoint,
/// <see cref="TrainerOptions.LayerDecay"/> 1.
/// </summary>
public sealed class ClipTrainerOptions : TrainerOptions
{
    /// <summary>The column of images: <see cref="MLImage"/>, or text with file paths. Default "Image".</summary>
    public string ImageColumnName { get; set; } = "Image";

    /// <summary>The column of texts that describe them. Default "Text".</summary>
    public string TextColumnName { get; set; } = "Text";

    /// <summary>The column for the image's vector of length 1. Default "ImageEmbedding".</summary>
    public string ImageEmbeddingColumnName { get; set; } = "ImageEmbedding";

    /// <summary>The column for the text's vector of length 1. Default "TextEmbedding".</summary>
    public string TextEmbeddingColumnName { get; set; } = "TextEmbedding";

    /// <summary>The network's size, where there is no <see cref="Checkpoint"/>. Default <see cref="ClipPreset.SmallImage"/>.</summary>
    public ClipPreset Preset { get; set; }

    /// <summary>Height and width of the network's input in pixels, a multiple of the patch; null takes the preset's. A checkpoint has its own.</summary>
    public int? ImageSize { get; set; }

    /// <summary>Height and width of a patch in pixels; null takes the preset's. A checkpoint has its own.</summary>
    public int? PatchSize { get; set; }

    /// <summary>Published weights to start from: a folder as Hugging Face publishes CLIP or SigLIP, or open_clip CLIP, or a file with OpenAI's names. Null, the default, starts from random weights.</summary>
    public string? Checkpoint { get; set; }

    /// <summary>
    /// The tokenizer's folder or file, where it does not lie beside the weights. Null without a <see cref="Checkpoint"/> learns one of
    /// <see cref="VocabularySize"/> from the texts.
    /// </summary>
    public string? Tokenizer { get; set; }

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

    /// <summary>How images become the network's input; null takes the checkpoint's own, and without one resizes to the network's size and scales to -1 to 1.</summary>
    public ImagePreprocessing? Preprocessing { get; set; }

    /// <summary>Rows to validate on, with the training data's columns; null holds out <see cref="TrainerOptions.ValidationFraction"/> of these.</summary>
    [JsonIgnore]
    public IDataView? ValidationData { get; set; }

    /// <summary>Rows scored at once; at least 1. Default 16.</summary>
    public int ScoringBatchSize { get; set; } = 16;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>. For training see <see cref="TrainerOptions.TrainingPrecision"/>.</summary>
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>
    /// Pass over images that cannot be read: training leaves them out, scoring gives missing values (NaN).
    /// Default false: such an image is an <see cref="ImageDecodeException"/>.
    /// </summary>
    public bool SkipInvalidImages { get; set; }

    /// <summary>Memory for decoded training images in megabytes, at least 0. Default 2048; see <see cref="ImageClassifierOptions.ImageCacheMegabytes"/>.</summary>
    public int ImageCacheMegabytes { get; set; } = 2048;

    private protected override TrainerDefaults Defaults => Checkpoint is null ? TrainerDefaults.Plain : new() { LearningRate = 1e-5 };

    private protected override IEnumerable<string> NoPartInLearning =>
        [.. base.NoPartInLearning, nameof(Checkpoint), nameof(Tokenizer), nameof(WeightInterpolation), nameof(ScoringBatchSize), nameof(Precision), nameof(ImageCacheMegabytes)];

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Preset, nameof(Preset));
        OptionChecks.RequireDefined(TrainedTowers, nameof(TrainedTowers));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        foreach (var (value, name) in new[] { (ImageSize, nameof(ImageSize)), (PatchSize, nameof(PatchSize)) })
        {
            if (value is not { } size)
                continue;
            Require(size, size >= 1, "at least 1", name);
            if (Checkpoint is not null)
                throw new ArgumentException($"{name} is {size}, but a checkpoint has its own.");
        }
        Require(BatchSize, BatchSize >= 2 * AccumulationSteps, "at least 2 for each of the AccumulationSteps: a row alone has no other to tell it from");
        Require(VocabularySize, VocabularySize >= 514, "at least 514");
        Require(WeightInterpolation, WeightInterpolation is >= 0 and <= 1, "from 0 to 1");
        Require(MinCropArea, MinCropArea is > 0 and <= 1, "above 0 and at most 1 (the whole image)");
        Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
        Require(ImageCacheMegabytes, ImageCacheMegabytes >= 0, "at least 0");
        if (Checkpoint is null && (TrainedTowers != ClipTrainedTowers.Both || WeightInterpolation < 1))
            throw new ArgumentException($"{nameof(TrainedTowers)} and {nameof(WeightInterpolation)} need a {nameof(Checkpoint)} to start from.");
        foreach (var (column, name) in new[]
        {
            (ImageColumnName, nameof(ImageColumnName)), (TextColumnName, nameof(TextColumnName)),
            (ImageEmbeddingColumnName, nameof(ImageEmbeddingColumnName)), (TextEmbeddingColumnName, nameof(TextEmbeddingColumnName)),
        })
        {
            OptionChecks.RequireName(column, name);
        }
        OptionChecks.RequireDistinct([ImageEmbeddingColumnName, TextEmbeddingColumnName]);
    }

    internal ClipTrainerOptions Copy() => (ClipTrainerOptions)MemberwiseClone();

    internal AugmentationSettings Augmentation() => new() { HorizontalFlip = HorizontalFlip, MinCropArea = MinCropArea };
}
