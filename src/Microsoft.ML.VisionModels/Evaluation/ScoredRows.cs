using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
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
        foreach (var name in tally.SharedNames)
            Notices.Say($"'{name}' is the name of several classes of the column '{_score.Name}': of these, each is right where the label is the name. A label that is a key with the same values as the score's means one of them.");
        using var cursor = _view.GetRowCursor([_label.Column, _score, _predicted.Column]);
        var (readLabel, readPredicted) = (_label.MakeReader(cursor, _classes), _predicted.MakeReader(cursor, _classes));
        var readScore = cursor.GetGetter<VBuffer<float>>(_score);
        VBuffer<float> buffer = default;
        var score = new float[_classes.Length];
        while (cursor.MoveNext())
        {
            readScore(ref buffer);
            buffer.CopyTo(score);
            tally.Add(readLabel(), Predicted(), score);
        }
        return tally.ToMetrics();

        int[]? Predicted() => readPredicted() is not [] and var classes ? classes
            : throw new InvalidOperationException($"The column '{_predicted.Column.Name}' has '{_predicted.MakeReader(cursor)()}', which is not a class of the column '{_score.Name}'.");
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
}
