using System.Globalization;
using System.Text;

namespace Microsoft.ML.VisionModels;

/// <summary>How well an image classifier did: the result of <c>mlContext.MulticlassClassification.EvaluateImageClassifier</c>.</summary>
/// <remarks>Where no row was measured, every measure is NaN.</remarks>
public sealed class ImageClassificationMetrics
{
    internal ImageClassificationMetrics()
    {
    }

    /// <summary>The rows that were measured.</summary>
    public required long Count { get; init; }

    /// <summary>The rows that could not be measured, and why.</summary>
    public required LeftOutRows LeftOut { get; init; }

    /// <summary>The share of rows whose predicted label is right, 0 to 1. ML.NET calls it the micro-accuracy.</summary>
    public required double Top1Accuracy { get; init; }

    /// <summary>The share of rows whose label is among the five most likely classes, 0 to 1. With at most five classes it is always 1.</summary>
    public required double Top5Accuracy { get; init; }

    /// <summary>The mean recall of the classes that occur, 0 to 1. All classes have the same weight, however many rows they have.</summary>
    public required double MacroAccuracy { get; init; }

    /// <summary>The mean of -ln(probability of the true class): 0 is perfect, and guessing gives ln(number of classes). NaN where scores are not probabilities.</summary>
    public required double LogLoss { get; init; }

    /// <summary>
    /// The mean absolute difference of confidence and accuracy, 0 to 1, over 15 bins of equal width that are weighted by their rows (Guo et al. 2017,
    /// arXiv 1706.04599). NaN where scores are not probabilities.
    /// </summary>
    public required double ExpectedCalibrationError { get; init; }

    /// <summary>The 15 bins of <see cref="ExpectedCalibrationError"/>, from 0 to 1: the bars of a reliability diagram. Empty where scores are not probabilities.</summary>
    public required IReadOnlyList<ReliabilityBin> Reliability { get; init; }

    /// <summary>Every class, in the order of the score's slots.</summary>
    public required IReadOnlyList<ClassMetrics> Classes { get; init; }

    /// <summary>Counts of rows, by true class and predicted class.</summary>
    public required ConfusionCounts ConfusionMatrix { get; init; }

    /// <summary>
    /// The names that several classes have. A label that is such a name, and not a key with the score's own values, is right for each of
    /// them: their probabilities count together, and a wrong prediction counts as one for the likeliest of them.
    /// </summary>
    public required IReadOnlyList<string> SharedNames { get; init; }

    /// <summary>The measures as text, with one line for each class.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Line($"{Count:N0} rows in {Classes.Count:N0} classes; left out {LeftOut.Total:N0}: {LeftOut.NoLabel:N0} without a label, {LeftOut.UnknownLabel:N0} of another class, {LeftOut.NoPrediction:N0} without a prediction");
        Line($"top-1 accuracy {Top1Accuracy:0.0000}, top-5 {Top5Accuracy:0.0000}, mean of classes {MacroAccuracy:0.0000}, log loss {LogLoss:0.0000}, calibration error {ExpectedCalibrationError:0.0000}");
        if (SharedNames.Count > 0)
            Line($"names of several classes, each of which is right for a label of that name: {string.Join(", ", SharedNames)}");
        var width = Classes.Select(each => each.Label.Length).Append("class".Length).Max();
        Line($"{"class".PadRight(width)}  {"rows",7}  precision  recall      F1");
        foreach (var each in Classes)
            Line($"{each.Label.PadRight(width)}  {each.Count,7}  {each.Precision,9:0.0000}  {each.Recall,6:0.0000}  {each.F1,6:0.0000}");
        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}

/// <summary>The rows that could not be measured, each counted under the first of these reasons.</summary>
/// <param name="NoLabel">Their label is missing: empty text, or a key of 0, which is what <c>MapValueToKey</c> makes of a label that it has not seen.</param>
/// <param name="UnknownLabel">Their label is not a class of the classifier.</param>
/// <param name="NoPrediction">They have no predicted label, or a score that is NaN, as images that could not be read do.</param>
public sealed record LeftOutRows(long NoLabel, long UnknownLabel, long NoPrediction)
{
    /// <summary>The number of all these rows.</summary>
    public long Total => NoLabel + UnknownLabel + NoPrediction;
}

/// <summary>The predictions with about the same confidence. Of a calibrated classifier's predictions with the confidence 0.8, 80% are right.</summary>
/// <param name="Low">The bin's lower end (exclusive).</param>
/// <param name="High">The bin's upper end (inclusive).</param>
/// <param name="Count">The number of predictions in the bin.</param>
/// <param name="Confidence">The mean probability of these predictions; NaN where there are none.</param>
/// <param name="Accuracy">The share of these predictions that is right; NaN where there are none.</param>
public sealed record ReliabilityBin(double Low, double High, long Count, double Confidence, double Accuracy);

/// <summary>How a classifier did on one class.</summary>
/// <param name="Label">The class.</param>
/// <param name="Count">The number of rows of the class.</param>
/// <param name="Precision">The share of the rows predicted as the class that are of the class, 0 to 1; NaN where none was predicted.</param>
/// <param name="Recall">The share of the rows of the class that were predicted as the class, 0 to 1; NaN where there are none.</param>
/// <param name="F1">The harmonic mean of precision and recall, 0 to 1; NaN where the class neither occurs nor was predicted.</param>
public sealed record ClassMetrics(string Label, long Count, double Precision, double Recall, double F1)
{
    internal static IReadOnlyList<ClassMetrics> Of(ConfusionCounts confusions)
    {
        var classes = confusions.Labels.Count;
        var (actual, predicted) = (new long[classes], new long[classes]);
        foreach (var (row, column, count) in confusions.Cells)
        {
            actual[row] += count;
            predicted[column] += count;
        }
        return [.. confusions.Labels.Select((label, i) =>
        {
            double right = confusions[i, i];
            return new ClassMetrics(label, actual[i], right / predicted[i], right / actual[i], 2 * right / (actual[i] + predicted[i]));
        })];
    }
}

/// <summary>
/// A confusion matrix: the number of rows for each true class and each predicted class. Only cells other than 0 are stored, as a matrix of
/// a thousand classes has a million cells.
/// </summary>
public sealed class ConfusionCounts
{
    private readonly IReadOnlyDictionary<(int True, int Predicted), long> _counts;

    internal ConfusionCounts(IReadOnlyList<string> labels, IReadOnlyDictionary<(int True, int Predicted), long> counts) => (Labels, _counts) = (labels, counts);

    /// <summary>The classes, in the order of the matrix's rows and columns.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>The number of rows with this true class and this predicted class. Classes count from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long this[int trueClass, int predictedClass]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(trueClass);
            ArgumentOutOfRangeException.ThrowIfNegative(predictedClass);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(trueClass, Labels.Count);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(predictedClass, Labels.Count);
            return _counts.TryGetValue((trueClass, predictedClass), out var count) ? count : 0;
        }
    }

    /// <summary>The cells other than 0, row by row.</summary>
    public IEnumerable<(int TrueClass, int PredictedClass, long Count)> Cells =>
        _counts.OrderBy(cell => cell.Key).Select(cell => (cell.Key.True, cell.Key.Predicted, cell.Value));
}
