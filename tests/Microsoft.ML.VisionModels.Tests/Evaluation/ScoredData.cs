using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

/// <summary>Scored rows as a classifier of any package leaves them, made by hand.</summary>
internal static class ScoredData
{
    public sealed class Row<T>
    {
        public T Label { get; set; } = default!;
        public float[] Score { get; set; } = [];
        public string PredictedLabel { get; set; } = "";
    }

    /// <summary>A view whose score's slots are named; the predicted label is the first of the largest scores, none where a score is NaN.</summary>
    public static IDataView View<T>(MLContext context, string[] classes, params (T Label, float[] Score)[] rows)
    {
        var schema = SchemaDefinition.Create(typeof(Row<T>));
        schema["Score"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, classes.Length);
        schema["Score"].AddAnnotation("SlotNames", Names(classes), new VectorDataViewType(TextDataViewType.Instance, classes.Length));
        return context.Data.LoadFromEnumerable(rows.Select(row => new Row<T>
        {
            Label = row.Label,
            Score = row.Score,
            PredictedLabel = row.Score.Any(float.IsNaN) ? "" : classes[Array.IndexOf(row.Score, row.Score.Max())],
        }).ToList(), schema);
    }

    public static VBuffer<ReadOnlyMemory<char>> Names(string[] classes) => new(classes.Length, [.. classes.Select(name => name.AsMemory())]);

    /// <summary>Maps a column of text to keys in the classes' order.</summary>
    public static IDataView Keys(MLContext context, IDataView view, string column, params string[] classes)
    {
        var lookup = context.Data.LoadFromEnumerable(classes.Select(name => new Row<string> { Label = name }).ToList());
        return context.Transforms.Conversion.MapValueToKey(column, column, keyData: context.Transforms.SelectColumns("Label").Fit(lookup).Transform(lookup)).Fit(view).Transform(view);
    }
}
