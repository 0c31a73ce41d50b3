namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a fitted classifier keeps of its options: how to score. Saved with the model.</summary>
internal sealed record ClassifierSettings(
    string ImageColumn, string ScoreColumn, string PredictedLabelColumn, string? EmbeddingColumn, string? AttentionColumn,
    int BatchSize, Precision Precision, bool SkipInvalidImages, bool TestTimeAugmentation)
{
    public static ClassifierSettings From(ImageClassifierOptions options) => new(
        options.ImageColumnName, options.ScoreColumnName, options.PredictedLabelColumnName, options.EmbeddingColumnName,
        options.AttentionColumnName, options.ScoringBatchSize, options.Precision, options.SkipInvalidImages, options.TestTimeAugmentation);
}
