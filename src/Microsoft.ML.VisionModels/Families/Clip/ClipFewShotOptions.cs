using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.ClipFewShot</c> can be told. What concerns training has no part in <see cref="ClipFewShotMethod.TipAdapter"/>,
/// which has none, and <see cref="TrainerOptions.LayerDecay"/> in no method.
/// </summary>
public sealed class ClipFewShotOptions : TrainerOptions
{
    /// <summary>Options that hold no rows out for validation: there are few.</summary>
    public ClipFewShotOptions() => ValidationFraction = 0;

    /// <summary>Passes over the training rows; at least 1. Default 200, as CoOp's authors have for 16 images a class; fewer do for fewer images.</summary>
    [Range(20, 401, 200, true)]
    public override int Epochs { get; set; } = 200;

    /// <summary>Rows per step; at least 1. Default 32.</summary>
    [Choice(new object[] { 16, 32, 64, 128 }, 32)]
    public override int BatchSize { get; set; } = 32;

    /// <summary>The highest learning rate, reached at the end of the warm-up; above 0. Default 2e-3.</summary>
    [Range(1e-4, 2e-2, 2e-3, true)]
    public override double LearningRate { get; set; } = 2e-3;

    /// <summary>How the classes are learned. Default <see cref="ClipFewShotMethod.TipAdapter"/>.</summary>
    public ClipFewShotMethod Method { get; set; }

    /// <summary>The published weights: a folder as Hugging Face publishes CLIP or SigLIP, or open_clip CLIP, or a file with OpenAI's names. Must be set.</summary>
    public string? Checkpoint { get; set; }

    /// <inheritdoc cref="ClipZeroShotOptions.Tokenizer"/>
    public string? Tokenizer { get; set; }

    /// <inheritdoc cref="ClipZeroShotOptions.LabelWords"/>
    public IReadOnlyDictionary<string, string>? LabelWords { get; set; }

    /// <summary>The sentences that a class's name is put into for <see cref="ClipFewShotMethod.TipAdapter"/>; see <see cref="ClipZeroShotOptions.Templates"/>.</summary>
    public IReadOnlyList<string> Templates { get; set; } = ClipTemplates.Default;

    /// <summary>How much a remembered image of the same vector counts beside the words (Tip-Adapter's alpha); at least 0. Default 1.</summary>
    public double CacheWeight { get; set; } = 1;

    /// <summary>How quickly a remembered image's say falls with its distance (Tip-Adapter's beta); above 0. Default 5.5.</summary>
    public double CacheSharpness { get; set; } = 5.5;

    /// <summary>How many vectors stand before a class's name in <see cref="ClipFewShotMethod.CoOp"/>; at least 1. Default 16.</summary>
    public int ContextTokens { get; set; } = 16;

    /// <summary>The column of the right answers: a key, text, an integer or a Boolean. Default "Label".</summary>
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>The column of images: <see cref="MLImage"/>, or text with file paths. Default "Image".</summary>
    public string ImageColumnName { get; set; } = "Image";

    /// <summary>
    /// The column for the probabilities, a vector with one slot a class. Default "Score". SigLIP's with
    /// <see cref="ClipFewShotMethod.TipAdapter"/> are of each class by itself.
    /// </summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The column for the likeliest class, a key whose values are the labels. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The column for the image's vector of length 1; null, the default, does not make it.</summary>
    public string? EmbeddingColumnName { get; set; }

    /// <summary>How images become the network's input; null takes the checkpoint's own.</summary>
    public ImagePreprocessing? Preprocessing { get; set; }

    /// <summary>Rows to validate on, with the training data's columns; null holds out <see cref="TrainerOptions.ValidationFraction"/> of these, which is 0 by default.</summary>
    [JsonIgnore]
    public IDataView? ValidationData { get; set; }

    /// <summary>Rows scored at once; at least 1. Default 16: on a CPU larger batches are no faster.</summary>
    public int ScoringBatchSize { get; set; } = 16;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>
    /// Pass over images that cannot be read: training leaves them out, scoring gives missing values (NaN, and no label).
    /// Default false: such an image is an <see cref="ImageDecodeException"/>.
    /// </summary>
    public bool SkipInvalidImages { get; set; }

    private protected override IEnumerable<string> NoPartInLearning => [.. base.NoPartInLearning, nameof(Checkpoint), nameof(Tokenizer), nameof(ScoringBatchSize), nameof(Precision)];

    internal override void Validate()
    {
        base.Validate();
        if (string.IsNullOrEmpty(Checkpoint))
            throw new ArgumentException($"{nameof(Checkpoint)} is not set; published weights are needed.", nameof(Checkpoint));
        OptionChecks.RequireDefined(Method, nameof(Method));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        ClipTemplates.Validate(Templates);
        Require(CacheWeight, CacheWeight >= 0 && double.IsFinite(CacheWeight), "at least 0");
        Require(CacheSharpness, CacheSharpness > 0 && double.IsFinite(CacheSharpness), "above 0");
        Require(ContextTokens, ContextTokens >= 1, "at least 1");
        Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
        OptionChecks.RequireName(LabelColumnName, nameof(LabelColumnName));
        OptionChecks.RequireName(ImageColumnName, nameof(ImageColumnName));
        OptionChecks.RequireName(ScoreColumnName, nameof(ScoreColumnName));
        OptionChecks.RequireName(PredictedLabelColumnName, nameof(PredictedLabelColumnName));
        OptionChecks.RequireNameOrNull(EmbeddingColumnName, nameof(EmbeddingColumnName));
        OptionChecks.RequireDistinct([ScoreColumnName, PredictedLabelColumnName, EmbeddingColumnName]);
    }

    internal ClipFewShotOptions Copy() => (ClipFewShotOptions)MemberwiseClone();
}
