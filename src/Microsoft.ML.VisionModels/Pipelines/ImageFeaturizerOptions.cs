using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What every featurizer of images can be told.</summary>
public abstract class ImageFeaturizerOptions : ImageScoringOptions
{
    /// <summary>The column for the network's feature vector; null does not make it. Default "Embedding".</summary>
    public string? EmbeddingColumnName { get; set; } = FeaturizerModel.Embedding;

    /// <summary>The features that there may be, and the columns for them; null for one that is not made.</summary>
    internal virtual IEnumerable<(string Feature, string? Column)> Columns => [(FeaturizerModel.Embedding, EmbeddingColumnName)];

    internal override void Validate()
    {
        base.Validate();
        foreach (var (feature, column) in Columns)
            OptionChecks.RequireNameOrNull(column, $"{feature}ColumnName");
        if (Columns.All(column => column.Column is null))
            throw new ArgumentException($"No output column has a name; {nameof(EmbeddingColumnName)} is the usual one.");
        OptionChecks.RequireDistinct(Columns.Select(column => column.Column));
    }

    internal ImageFeaturizerOptions Copy() => (ImageFeaturizerOptions)MemberwiseClone();

    internal FeaturizerSettings Settings() => new(
        ImageColumnName, Columns.Where(column => column.Column is not null).ToDictionary(column => column.Feature, column => column.Column!),
        ScoringBatchSize, Precision, SkipInvalidImages);
}
