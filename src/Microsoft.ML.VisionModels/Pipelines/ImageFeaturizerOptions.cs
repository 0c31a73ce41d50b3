using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What every featurizer of images can be told.</summary>
public abstract class ImageFeaturizerOptions : ImageScoringOptions, IFeatureColumns
{
    /// <summary>The column for the network's feature vector; null does not make it. Default "Embedding".</summary>
    [ScoringSetting]
    public string? EmbeddingColumnName { get; set; } = IFeatureNetwork.Embedding;

    IEnumerable<(string Feature, string? Column)> IFeatureColumns.Features => Features;

    /// <inheritdoc cref="IFeatureColumns.Features"/>
    internal virtual IEnumerable<(string Feature, string? Column)> Features => [(IFeatureNetwork.Embedding, EmbeddingColumnName)];

    internal override IEnumerable<string?> OutputNames => Features.Select(feature => feature.Column);

    internal override void Validate()
    {
        base.Validate();
        RequireCheckpoint();
    }
}

/// <summary>What options of featurizers have in common, whether they train or not.</summary>
internal interface IFeatureColumns
{
    /// <summary>The features that there may be, and the columns for them; null for one that is not made.</summary>
    IEnumerable<(string Feature, string? Column)> Features { get; }
}
