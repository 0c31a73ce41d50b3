using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ClipZeroShot</c> can be told. The labels come from one of <see cref="Labels"/>, <see cref="LabelsFile"/> and <see cref="LabelColumnName"/>.</summary>
public sealed class ClipZeroShotOptions : ImageScoringOptions, IClassifierColumns, IClipCheckpoint
{
    /// <summary>The classes, in words: "cat", "fire engine". At least one. Classes of the same name get the same probability.</summary>
    public IReadOnlyList<string>? Labels { get; set; }

    /// <summary>A text file with one class in each line, in UTF-8; empty lines are passed over.</summary>
    public string? LabelsFile { get; set; }

    /// <summary>A column of which each value is a class: a key, text, an integer or a Boolean. It is read when the estimator is fitted.</summary>
    public string? LabelColumnName { get; set; }

    /// <summary>
    /// What labels are called in sentences, where it is not what they are: <c>["n02084071"] = "dog"</c>. Predictions and slot names keep the labels.
    /// Null, the default, and labels that are not there: the label itself, with spaces for underscores.
    /// </summary>
    public IReadOnlyDictionary<string, string>? LabelWords { get; set; }

    /// <summary>
    /// The sentences that a class is put into, in the place of <c>{}</c>. With several, a class is the mean of their vectors (prompt
    /// ensembling, arXiv 2103.00020, 3.1.4); <see cref="ClipTemplates.ImageNet"/> has the paper's 80. Default "a photo of a {}.".
    /// </summary>
    public IReadOnlyList<string> Templates { get; set; } = ClipTemplates.Default;

    /// <summary>The tokenizer's folder or file, where it does not lie beside the weights: tokenizer.json, vocab.json with merges.txt, or OpenAI's bpe_simple_vocab_16e6.txt.gz; for SigLIP spiece.model.</summary>
    public string? Tokenizer { get; set; }

    /// <summary>
    /// Whether the MLPs of <see cref="ScoringOptions.Checkpoint"/> compute with x sigmoid(1.702 x), as OpenAI's networks do, or with GELU,
    /// as most that open_clip trained. Null, the default, is as its configuration says; a weights file of open_clip does not say it, is
    /// taken for one of OpenAI's networks, and a warning in the log tells.
    /// </summary>
    public bool? QuickGelu { get; set; }

    /// <summary>
    /// The column for the probabilities, a vector with one slot a class: among the classes, adding up to 1 (CLIP), or of each class by
    /// itself (SigLIP, arXiv 2303.15343). Default "Score".
    /// </summary>
    [ScoringSetting]
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The column for the likeliest class, a key whose values are the labels. Default "PredictedLabel".</summary>
    [ScoringSetting]
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The column for the image's vector of length 1; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? EmbeddingColumnName { get; set; }

    internal override IEnumerable<InputColumn> Inputs => LabelColumnName is null ? base.Inputs : [.. base.Inputs, LabelColumn.Input(LabelColumnName)];

    internal override IEnumerable<string?> OutputNames => ClassifierColumns.Names(this);

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) =>
        ClassifierColumns.Promise(this, LabelColumnName is null ? TextDataViewType.Instance : LabelColumn.TypeOf(input, LabelColumnName));

    internal override void Validate()
    {
        base.Validate();
        RequireCheckpoint();
        if (new object?[] { Labels, LabelsFile, LabelColumnName }.Count(source => source is not null) != 1)
            throw new ArgumentException($"Set one of {nameof(Labels)}, {nameof(LabelsFile)} and {nameof(LabelColumnName)}: they tell the classes.");
        if (Labels is not null)
            RequireLabels(Labels);
        ClipTemplates.Validate(Templates);
    }

    /// <exception cref="ArgumentException">There is none, or one is empty.</exception>
    internal static void RequireLabels(IReadOnlyList<string> labels)
    {
        if (labels.Count == 0)
            throw new ArgumentException("There are no labels; zero-shot classification needs at least one.");
        if (labels.Any(string.IsNullOrWhiteSpace))
            throw new ArgumentException($"The label at position {labels.ToList().FindIndex(string.IsNullOrWhiteSpace)} is empty.");
    }
}
