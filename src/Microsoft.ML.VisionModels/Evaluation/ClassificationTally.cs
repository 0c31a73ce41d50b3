namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>Counts rows one at a time; nothing of a row is kept.</summary>
internal sealed class ClassificationTally(IReadOnlyList<string> classes)
{
    private const double SmallestProbability = 1e-15;   // as ML.NET's own evaluator, so that no log is infinite

    private readonly Dictionary<(int True, int Predicted), long> _confusions = [];
    private readonly ReliabilityTally _reliability = new();
    private long _count, _right, _amongTop, _noLabel, _unknownLabel, _noPrediction;
    private double _loss;
    private bool _areProbabilities = true;

    private int Top => Math.Min(5, classes.Count);

    /// <param name="label">The true class; null where the row has none, -1 where it is none of the classes.</param>
    /// <param name="predicted">The predicted class; null where the row has none.</param>
    /// <param name="score">The probability of each class.</param>
    public void Add(int? label, int? predicted, ReadOnlySpan<float> score)
    {
        if (label is not { } truth)
            _noLabel++;
        else if (truth < 0)
            _unknownLabel++;
        else if (predicted is not { } answer || HasNaN(score))
            _noPrediction++;
        else
            Add(truth, answer, score);
    }

    public ImageClassificationMetrics ToMetrics()
    {
        var confusions = new ConfusionCounts(classes, _confusions);
        var perClass = ClassMetrics.Of(confusions);
        return new()
        {
            Count = _count,
            LeftOut = new(_noLabel, _unknownLabel, _noPrediction),
            Top1Accuracy = Share(_right),
            Top5Accuracy = Share(_amongTop),
            MacroAccuracy = perClass.Where(each => each.Count > 0).Select(each => each.Recall).DefaultIfEmpty(double.NaN).Average(),
            LogLoss = _areProbabilities ? _loss / _count : double.NaN,
            ExpectedCalibrationError = _areProbabilities ? _reliability.ExpectedCalibrationError : double.NaN,
            Reliability = _areProbabilities ? _reliability.Bins : [],
            Classes = perClass,
            ConfusionMatrix = confusions,
        };

        double Share(long rows) => (double)rows / _count;   // NaN of no rows
    }

    private void Add(int label, int predicted, ReadOnlySpan<float> score)
    {
        _count++;
        _confusions[(label, predicted)] = _confusions.GetValueOrDefault((label, predicted)) + 1;
        if (label == predicted)
            _right++;
        if (Rank(label, score) < Top)
            _amongTop++;

        // Scores that are no probabilities, such as margins, have no loss and no calibration.
        foreach (var value in score)
            _areProbabilities &= value is >= 0 and <= 1 + 1e-5f;
        if (!_areProbabilities)
            return;
        _loss -= Math.Log(Math.Clamp(score[label], SmallestProbability, 1));
        _reliability.Add(score[predicted], label == predicted);
    }

    /// <summary>How many classes come before this one; of equal scores the first does, as in the predicted label.</summary>
    private static int Rank(int label, ReadOnlySpan<float> score)
    {
        var before = 0;
        for (var i = 0; i < score.Length; i++)
        {
            if (score[i] > score[label] || (score[i] == score[label] && i < label))
                before++;
        }
        return before;
    }

    private static bool HasNaN(ReadOnlySpan<float> score)
    {
        foreach (var value in score)
        {
            if (float.IsNaN(value))
                return true;
        }
        return false;
    }
}
