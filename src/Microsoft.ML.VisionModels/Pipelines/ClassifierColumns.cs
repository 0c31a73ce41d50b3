using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Interop;
using Shape = Microsoft.ML.SchemaShape.Column.VectorKind;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>The columns of a classifier, as its options name them.</summary>
internal interface IClassifierColumns
{
    string ScoreColumnName { get; }

    string PredictedLabelColumnName { get; }

    string? EmbeddingColumnName { get; }

    string? AttentionColumnName => null;

    /// <summary>Whether each image's mirror image is looked at too.</summary>
    bool TestTimeAugmentation => false;
}

/// <summary>
/// What a classifier's columns tell of themselves, as those of ML.NET's own multiclass trainers do: the classes, and the marks by
/// which evaluators find a score and its predicted label.
/// </summary>
internal static class ClassifierColumns
{
    private const string SlotNames = "SlotNames";
    private const string KeyValues = "KeyValues";
    private const string TrainingLabelValues = "TrainingLabelValues";
    private const string ScoreColumnKind = "ScoreColumnKind";
    private const string ScoreValueKind = "ScoreValueKind";
    private const string ScoreColumnSetId = "ScoreColumnSetId";

    public static IEnumerable<string?> Names(IClassifierColumns columns) =>
        [columns.ScoreColumnName, columns.PredictedLabelColumnName, columns.EmbeddingColumnName, columns.AttentionColumnName];

    /// <param name="columns">The columns' names.</param>
    /// <param name="labelType">The type of the labels' values.</param>
    public static IEnumerable<SchemaShape.Column> Promise(IClassifierColumns columns, DataViewType labelType) =>
    [
        MLNet.ShapeColumn(columns.ScoreColumnName, Shape.Vector, NumberDataViewType.Single, annotations: PromisedOfScore(labelType)),
        MLNet.ShapeColumn(columns.PredictedLabelColumnName, Shape.Scalar, NumberDataViewType.UInt32, isKey: true, annotations: PromisedOfPredictedLabel(labelType)),
        .. new[] { columns.EmbeddingColumnName, columns.AttentionColumnName }.OfType<string>().Select(Columns.VectorPromise),
    ];

    public static DataViewSchema.Annotations OfScore(DataViewSchema input, LabelSet labels)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        labels.AddNames(builder, SlotNames);
        labels.AddValues(builder, TrainingLabelValues);
        AddMarks(builder, input, "Score");
        return builder.ToAnnotations();
    }

    public static DataViewSchema.Annotations OfPredictedLabel(DataViewSchema input, LabelSet labels)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        labels.AddValues(builder, KeyValues);
        AddMarks(builder, input, "PredictedLabel");
        return builder.ToAnnotations();
    }

    private static SchemaShape.Column[] PromisedOfScore(DataViewType labelType) =>
        [MLNet.ShapeColumn(SlotNames, Shape.Vector, TextDataViewType.Instance), MLNet.ShapeColumn(TrainingLabelValues, Shape.Vector, labelType), .. PromisedMarks()];

    private static SchemaShape.Column[] PromisedOfPredictedLabel(DataViewType labelType) =>
        [MLNet.ShapeColumn(KeyValues, Shape.Vector, labelType), .. PromisedMarks()];

    private static void AddMarks(DataViewSchema.Annotations.Builder builder, DataViewSchema input, string valueKind)
    {
        AddText(ScoreColumnKind, "MulticlassClassification");
        AddText(ScoreValueKind, valueKind);
        var set = input.Max(SetOf) + 1;
        builder.Add(ScoreColumnSetId, new KeyDataViewType(typeof(uint), int.MaxValue), (ref uint value) => value = set);

        void AddText(string kind, string text) =>
            builder.Add(kind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = text.AsMemory());
    }

    private static SchemaShape.Column[] PromisedMarks() =>
    [
        MLNet.ShapeColumn(ScoreColumnKind, Shape.Scalar, TextDataViewType.Instance),
        MLNet.ShapeColumn(ScoreValueKind, Shape.Scalar, TextDataViewType.Instance),
        MLNet.ShapeColumn(ScoreColumnSetId, Shape.Scalar, NumberDataViewType.UInt32, isKey: true),
    ];

    /// <summary>The number that the columns of one scorer share, 0 where there is none: the next scorer takes the next.</summary>
    private static uint SetOf(DataViewSchema.Column column)
    {
        uint set = 0;
        if (column.Annotations.Schema.GetColumnOrNull(ScoreColumnSetId) is { Type: KeyDataViewType { RawType: var raw } } && raw == typeof(uint))
            column.Annotations.GetValue(ScoreColumnSetId, ref set);
        return set;
    }
}
