using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.ClipFewShot</c> can be told. What concerns training has no part in <see cref="ClipFewShotMethod.TipAdapter"/>,
/// which has none, and <see cref="TrainerOptions.LayerDecay"/> in no method.
/// </summary>
public sealed class ClipFewShotOptions : TrainerOptions, IClassifierColumns, IClipCheckpoint
{
    /// <summary>Options that hold no rows out for validation, as there are few, and keep all images in memory.</summary>
    public ClipFewShotOptions() => (ValidationFraction, ImageCacheMegabytes) = (0, int.MaxValue);

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

    /// <inheritdoc cref="ClipZeroShotOptions.Tokenizer"/>
    public string? Tokenizer { get; set; }

    /// <inheritdoc cref="ClipZeroShotOptions.QuickGelu"/>
    public bool? QuickGelu { get; set; }

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

    /// <summary>
    /// The column for the probabilities, a vector with one slot a class. Default "Score". SigLIP's with
    /// <see cref="ClipFewShotMethod.TipAdapter"/> are of each class by itself.
    /// </summary>
    [ScoringSetting]
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The column for the likeliest class, a key whose values are the labels. Default "PredictedLabel".</summary>
    [ScoringSetting]
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The column for the image's vector of length 1; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? EmbeddingColumnName { get; set; }

    internal override IEnumerable<InputColumn> Inputs => [.. base.Inputs, LabelColumn.Input(LabelColumnName)];

    internal override IEnumerable<string?> OutputNames => ClassifierColumns.Names(this);

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) => ClassifierColumns.Promise(this, LabelColumn.TypeOf(input, LabelColumnName));

    private protected override IEnumerable<string> NoPartInLearning => [.. base.NoPartInLearning, nameof(Tokenizer)];

    internal override void Validate()
    {
        base.Validate();
        RequireCheckpoint();
        OptionChecks.RequireDefined(Method, nameof(Method));
        ClipTemplates.Validate(Templates);
        OptionChecks.Require(CacheWeight, CacheWeight >= 0 && double.IsFinite(CacheWeight), "at least 0");
        OptionChecks.Require(CacheSharpness, CacheSharpness > 0 && double.IsFinite(CacheSharpness), "above 0");
        OptionChecks.Require(ContextTokens, ContextTokens >= 1, "at least 1");
    }
}
