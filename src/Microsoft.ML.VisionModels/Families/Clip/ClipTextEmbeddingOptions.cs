using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ClipTextEmbedding</c> can be told. <see cref="ScoringOptions.ScoringBatchSize"/> is 64 by default: texts are small.</summary>
public sealed class ClipTextEmbeddingOptions : ScoringOptions, IClipCheckpoint
{
    /// <summary>Options with a batch size for texts.</summary>
    public ClipTextEmbeddingOptions() => ScoringBatchSize = 64;

    /// <inheritdoc cref="ClipZeroShotOptions.Tokenizer"/>
    public string? Tokenizer { get; set; }

    /// <inheritdoc cref="ClipZeroShotOptions.QuickGelu"/>
    public bool? QuickGelu { get; set; }

    /// <summary>The column of texts. What does not fit into the network's number of tokens (77) is cut off. Default "Text".</summary>
    [ScoringSetting]
    public string TextColumnName { get; set; } = "Text";

    /// <summary>The column for the vector, of length 1. Default "Embedding".</summary>
    [ScoringSetting]
    public string EmbeddingColumnName { get; set; } = "Embedding";

    internal override IEnumerable<InputColumn> Inputs => [TextColumn.Input(TextColumnName)];

    internal override IEnumerable<string?> OutputNames => [EmbeddingColumnName];

    internal override void Validate()
    {
        base.Validate();
        RequireCheckpoint();
    }
}
