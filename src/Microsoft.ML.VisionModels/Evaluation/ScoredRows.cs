using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>A data view with labels, scores and predicted labels. The score's column names the classes.</summary>
internal sealed class ScoredRows
{
    private readonly IDataView _view;
    private readonly LabelColumn _label, _predicted;
    private readonly DataViewSchema.Column _score;
    private readonly string[] _classes;

    private ScoredRows(IDataView view, LabelColumn label, LabelColumn predicted, DataViewSchema.Column score)
    {
        (_view, _label, _predicted, _score) = (view, label, predicted, score);
        _classes = ClassesOf(score);
    }

    public static ScoredRows Bind(IDataView view, string label, string score, string predictedLabel) => new(
        view, LabelColumn.Bind(view.Schema, label), LabelColumn.Bind(view.Schema, predictedLabel), InputColumn.Vector(score).Find(view.Schema));

    public ImageClassificationMetrics Evaluate()
    {
        var tally = new ClassificationTally(_classes);
        using var cursor = _view.GetRowCursor([_label.Column, _score, _predicted.Column]);
        var (readLabel, readPredicted) = (_label.MakeReader(cursor), _predicted.MakeReader(cursor));
        var readScore = cursor.GetGetter<VBuffer<float>>(_score);
        var indices = IndicesOf(_classes);
        VBuffer<float> buffer = default;
        var score = new float[_classes.Length];
        while (cursor.MoveNext())
        {
            readScore(ref buffer);
            buffer.CopyTo(score);
            tally.Add(Label(), Predicted(), score);
        }
        return tally.ToMetrics();

        // Null where the row has no label, -1 where the label is not a class.
        int? Label() => readLabel() is not { } name ? null : indices.GetValueOrDefault(name, -1);

        int? Predicted() => readPredicted() is not { } name ? null
            : indices.TryGetValue(name, out var index) ? index
            : throw new InvalidOperationException($"The column '{_predicted.Column.Name}' has '{name}', which is not a class of the column '{_score.Name}'.");
    }

    /// <summary>The classes in the order of the slots: the labels that the trainer kept (which may be numbers), else the names of the slots.</summary>
    private static string[] ClassesOf(DataViewSchema.Column score)
    {
        var size = ((VectorDataViewType)score.Type).Size;
        foreach (var kind in (string[])["TrainingLabelValues", "SlotNames"])
        {
            if (LabelColumn.Names(score, kind) is { } names && names.Length == size)
                return names;
        }
        throw new ArgumentException(
            $"The column '{score.Name}' does not name its {size} classes: it has neither TrainingLabelValues nor SlotNames. Train on labels that were mapped with MapValueToKey.", nameof(score));
    }

    private Dictionary<string, int> IndicesOf(string[] classes)
    {
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < classes.Length; i++)
        {
            if (!indices.TryAdd(classes[i], i))
                throw new ArgumentException($"The column '{_score.Name}' has two classes with the name '{classes[i]}'.", nameof(classes));
        }
        return indices;
    }
}
