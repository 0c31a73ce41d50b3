using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Shape = Microsoft.ML.SchemaShape.Column.VectorKind;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a fitted classifier keeps of its options: how to score. Saved with the model.</summary>
internal sealed record ClassifierSettings(
    string ImageColumn, string ScoreColumn, string PredictedLabelColumn, string? EmbeddingColumn, string? AttentionColumn,
    int BatchSize, Precision Precision, bool SkipInvalidImages, bool TestTimeAugmentation)
{
    public static ClassifierSettings From(ImageClassifierOptions options) => new(
        options.ImageColumnName, options.ScoreColumnName, options.PredictedLabelColumnName, options.EmbeddingColumnName,
        options.AttentionColumnName, options.ScoringBatchSize, options.Precision, options.SkipInvalidImages, options.TestTimeAugmentation);

    /// <summary>The input's columns and, after them, the classifier's.</summary>
    /// <param name="input">The input's columns.</param>
    /// <param name="labelType">The type of the labels' values.</param>
    public SchemaShape Promise(SchemaShape input, DataViewType labelType) => Columns.Promise(input,
    [
        MLNet.ShapeColumn(ScoreColumn, Shape.Vector, NumberDataViewType.Single, annotations: ClassifierAnnotations.PromisedOfScore(labelType)),
        MLNet.ShapeColumn(PredictedLabelColumn, Shape.Scalar, NumberDataViewType.UInt32, isKey: true, annotations: ClassifierAnnotations.PromisedOfPredictedLabel(labelType)),
        .. new[] { EmbeddingColumn, AttentionColumn }.OfType<string>().Select(Columns.VectorPromise),
    ]);
}
