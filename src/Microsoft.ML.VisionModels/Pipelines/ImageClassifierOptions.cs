using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What every image classifier of this package can be told.</summary>
public abstract partial class ImageClassifierOptions : TrainerOptions, IClassifierColumns
{
    /// <summary>The column of the right answers: a key, text, an integer or a Boolean. Default "Label".</summary>
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>The column for the probabilities, a vector with one slot a class. Default "Score".</summary>
    [ScoringSetting]
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The column for the likeliest class, a key whose values are the labels. Default "PredictedLabel".</summary>
    [ScoringSetting]
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The column for the network's feature vector; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? EmbeddingColumnName { get; set; }

    /// <summary>
    /// The column for a map of where the answer comes from, a vector of rows x columns whose largest value is 1; null, the default,
    /// does not make it. Of a Vision Transformer with a class token it is the attention roll-out (arXiv 2005.00928) over the patches;
    /// of one that takes the mean of its patches, how much each of them speaks for the answer (all 0 where none does).
    /// </summary>
    [ScoringSetting]
    public string? AttentionColumnName { get; set; }

    /// <summary>What learns. Default <see cref="TrainedParts.All"/>; the others need a <see cref="Checkpoint"/>.</summary>
    public TrainedParts TrainedParts { get; set; } = TrainedParts.All;

    /// <summary>How many blocks learn with <see cref="TrainedParts.LastBlocks"/>; at least 1. Default 2.</summary>
    public int LastBlocks { get; set; } = 2;

    /// <summary>With <see cref="TrainedParts.None"/>, the names of the classes, where the checkpoint does not know them.</summary>
    public IReadOnlyList<string>? Labels { get; set; }

    /// <summary>
    /// In scoring, look at each image and at its mirror image and take the mean: a little more accurate, and twice the work.
    /// Embedding and map are those of the image itself. Default false; leave it so where left and right matter.
    /// </summary>
    [ScoringSetting]
    public bool TestTimeAugmentation { get; set; }

    internal override IEnumerable<InputColumn> Inputs => Trains ? [.. base.Inputs, LabelColumn.Input(LabelColumnName)] : base.Inputs;

    internal override IEnumerable<string?> OutputNames => ClassifierColumns.Names(this);

    /// <summary>Whether anything is learned, and so labels are read.</summary>
    internal bool Trains => TrainedParts != TrainedParts.None;

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) =>
        ClassifierColumns.Promise(this, Trains ? LabelColumn.TypeOf(input, LabelColumnName) : TextDataViewType.Instance);

    /// <summary>Reads the options and the checkpoint's configuration: the family's own.</summary>
    internal abstract ClassifierBlueprint Open();

    internal override void Validate()
    {
        base.Validate();
        ValidateRecipe();
        OptionChecks.RequireDefined(TrainedParts, nameof(TrainedParts));
        OptionChecks.Require(LastBlocks, LastBlocks >= 1, "at least 1");
        if (TrainedParts != TrainedParts.All && Checkpoint is null)
            throw new ArgumentException($"{nameof(TrainedParts)} is {TrainedParts}, which needs a {nameof(Checkpoint)} to start from.");
        if (Labels is not null && Trains)
            throw new ArgumentException($"{nameof(Labels)} names the classes of a published head; in training they come from {LabelColumnName}.");
    }
}
