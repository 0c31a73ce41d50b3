using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What every image classifier of this package can be told.</summary>
public abstract partial class ImageClassifierOptions : TrainerOptions
{
    /// <summary>The column of the right answers: a key, text, an integer or a Boolean. Default "Label".</summary>
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>The column of images: <see cref="MLImage"/>, or text with file paths. Default "Image".</summary>
    public string ImageColumnName { get; set; } = "Image";

    /// <summary>The column for the probabilities, a vector with one slot a class. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The column for the likeliest class, a key whose values are the labels. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The column for the network's feature vector; null, the default, does not make it.</summary>
    public string? EmbeddingColumnName { get; set; }

    /// <summary>
    /// The column for a map of where the answer comes from, a vector of rows x columns whose largest value is 1; null, the default,
    /// does not make it. Of a Vision Transformer with a class token it is the attention roll-out (arXiv 2005.00928) over the patches;
    /// of one that takes the mean of its patches, how much each of them speaks for the answer (all 0 where none does).
    /// </summary>
    public string? AttentionColumnName { get; set; }

    /// <summary>
    /// Published weights to start from: a Hugging Face folder, or a weights file (.safetensors, .pt, .pth, .bin). Null, the
    /// default, starts from random weights.
    /// </summary>
    public string? Checkpoint { get; set; }

    /// <summary>What learns. Default <see cref="TrainedParts.All"/>; the others need a <see cref="Checkpoint"/>.</summary>
    public TrainedParts TrainedParts { get; set; } = TrainedParts.All;

    /// <summary>How many blocks learn with <see cref="TrainedParts.LastBlocks"/>; at least 1. Default 2.</summary>
    public int LastBlocks { get; set; } = 2;

    /// <summary>With <see cref="TrainedParts.None"/>, the names of the classes, where the checkpoint does not know them.</summary>
    public IReadOnlyList<string>? Labels { get; set; }

    /// <summary>How images become the network's input; null takes the checkpoint's own, or else resizes to the network's size and scales to -1 to 1.</summary>
    public ImagePreprocessing? Preprocessing { get; set; }

    /// <summary>Rows to validate on, with the training data's columns; null holds out <see cref="TrainerOptions.ValidationFraction"/> of these.</summary>
    [JsonIgnore]
    public IDataView? ValidationData { get; set; }

    /// <summary>Rows scored at once; at least 1. Default 16: on a CPU larger batches are no faster.</summary>
    public int ScoringBatchSize { get; set; } = 16;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>. For training see <see cref="TrainerOptions.TrainingPrecision"/>.</summary>
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>
    /// Pass over images that cannot be read: training leaves them out, scoring gives missing values (NaN, and no label).
    /// Default false: such an image is an <see cref="ImageDecodeException"/>.
    /// </summary>
    public bool SkipInvalidImages { get; set; }

    /// <summary>
    /// In scoring, look at each image and at its mirror image and take the mean: a little more accurate, and twice the work.
    /// Embedding and map are those of the image itself. Default false; leave it so where left and right matter.
    /// </summary>
    public bool TestTimeAugmentation { get; set; }

    /// <summary>
    /// Memory for decoded training images in megabytes, at least 0. Default 2048, which holds 700,000 images of 32 x 32 or
    /// 14,000 of 224 x 224. Of those beyond it that are files, each is decoded anew in each epoch, ahead of the network.
    /// </summary>
    public int ImageCacheMegabytes { get; set; } = 2048;

    internal override void Validate()
    {
        base.Validate();
        ValidateRecipe();
        OptionChecks.RequireDefined(TrainedParts, nameof(TrainedParts));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        Require(LastBlocks, LastBlocks >= 1, "at least 1");
        Require(ImageCacheMegabytes, ImageCacheMegabytes >= 0, "at least 0");
        Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
        OptionChecks.RequireName(ImageColumnName, nameof(ImageColumnName));
        OptionChecks.RequireName(ScoreColumnName, nameof(ScoreColumnName));
        OptionChecks.RequireName(PredictedLabelColumnName, nameof(PredictedLabelColumnName));
        if (TrainedParts != TrainedParts.None)
            OptionChecks.RequireName(LabelColumnName, nameof(LabelColumnName));
        if (TrainedParts != TrainedParts.All && Checkpoint is null)
            throw new ArgumentException($"{nameof(TrainedParts)} is {TrainedParts}, which needs a {nameof(Checkpoint)} to start from.");
        if (Labels is not null && TrainedParts != TrainedParts.None)
            throw new ArgumentException($"{nameof(Labels)} names the classes of a published head; in training they come from {LabelColumnName}.");

        OptionChecks.RequireNameOrNull(EmbeddingColumnName, nameof(EmbeddingColumnName));
        OptionChecks.RequireNameOrNull(AttentionColumnName, nameof(AttentionColumnName));
        OptionChecks.RequireDistinct([ScoreColumnName, PredictedLabelColumnName, EmbeddingColumnName, AttentionColumnName]);
    }

    internal ImageClassifierOptions Copy() => (ImageClassifierOptions)MemberwiseClone();
}
