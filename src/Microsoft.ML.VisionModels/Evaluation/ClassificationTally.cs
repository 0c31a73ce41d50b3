namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>Counts scored rows one by one, without keeping them.</summary>
internal sealed class ClassificationTally(IReadOnlyList<string> classes)
{
    private const double SmallestProbability = 1e-15;   // as in ML.NET's own evaluator; the logarithm of 0 would be infinite

    private readonly Dictionary<(int True, int Predicted), long> _confusions = [];
    private readonly ReliabilityTally _reliability = new();
    private long _count, _right, _amongTop, _noLabel, _unknownLabel, _noPrediction;
    private double _loss;
    private bool _areProbabilities = true;

    private int Top => Math.Min(5, classes.Count);

    /// <summary>The names that several classes have, as two birds and machines of ImageNet's are cranes.</summary>
    public IReadOnlyList<string> SharedNames { get; } = [.. classes.CountBy(name => name).Where(name => name.Value > 1).Select(name => name.Key)];

    /// <summary>Counts a row.</summary>
    /// <param name="label">The true class, or several that are all right; null where the row has no label, none where the label is not a class.</param>
    /// <param name="predicted">The predicted class, or several that it may be; null where the row has no prediction.</param>
    /// <param name="score">The probability of each class.</param>
    public void Add(int[]? label, int[]? predicted, float[] score)
    {
        if (label is null)
            _noLabel++;
        else if (label is [])
            _unknownLabel++;
        else if (predicted is null || Array.Exists(score, float.IsNaN))
            _noPrediction++;
        else
            AddMeasured(label, Likeliest(predicted, score), score);
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
            SharedNames = SharedNames,
        };

        double Share(long rows) => (double)rows / _count;   // NaN where there are no rows
    }

    private void AddMeasured(int[] labels, int predicted, float[] score)
    {
        var label = labels.Contains(predicted) ? predicted : Likeliest(labels, score);
        _count++;
        _confusions[(label, predicted)] = _confusions.GetValueOrDefault((label, predicted)) + 1;
        if (label == predicted)
            _right++;
        if (Rank(Likeliest(labels, score), score) < Top)
            _amongTop++;

        // Scores that are not probabilities, such as margins, have no log loss and no calibration.
        foreach (var value in score)
            _areProbabilities &= value is >= 0 and <= 1 + 1e-5f;
        if (!_areProbabilities)
            return;
        _loss -= Math.Log(Math.Clamp(labels.Sum(right => score[right]), SmallestProbability, 1));
        _reliability.Add(score[predicted], label == predicted);
    }

    private static int Likeliest(int[] classes, float[] score) => classes.MaxBy(one => score[one]);

    /// <summary>The number of classes that rank before this one. Of classes with equal scores the first ranks first, as in the predicted label.</summary>
    private static int Rank(int label, float[] score)
    {
        var before = 0;
        for (var i = 0; i < score.Length; i++)
        {
            if (score[i] > score[label] || (score[i] == score[label] && i < label))
                before++;
        }
        return before;
    }
}

/// <summary>Sorts predictions into bins by their confidence: Guo et al., "On Calibration of Modern Neural Networks" (arXiv 1706.04599), 2017, section 2.</summary>
internal sealed class ReliabilityTally
{
    private const int BinCount = 15;    // as in the paper

    private readonly long[] _counts = new long[BinCount], _right = new long[BinCount];
    private readonly double[] _confidences = new double[BinCount];

    /// <summary>The mean absolute difference between a bin's accuracy and its mean confidence, weighted by its rows; NaN where there are no rows.</summary>
    public double ExpectedCalibrationError => Bins.Where(bin => bin.Count > 0).Sum(bin => bin.Count * Math.Abs(bin.Accuracy - bin.Confidence)) / _counts.Sum();

    public IReadOnlyList<ReliabilityBin> Bins => [.. Enumerable.Range(0, BinCount).Select(i => new ReliabilityBin(
        (double)i / BinCount, (i + 1.0) / BinCount, _counts[i], _confidences[i] / _counts[i], (double)_right[i] / _counts[i]))];

    /// <summary>Counts a prediction.</summary>
    /// <param name="confidence">The probability of the prediction.</param>
    /// <param name="right">Whether the prediction is right.</param>
    public void Add(float confidence, bool right)
    {
        // As in the paper, a bin includes its upper end and not its lower one. Single precision keeps 0.8 in the bin that ends at 12/15.
        var bin = Math.Clamp((int)MathF.Ceiling(confidence * BinCount) - 1, 0, BinCount - 1);
        _counts[bin]++;
        _confidences[bin] += confidence;
        if (right)
            _right[bin]++;
    }
}
