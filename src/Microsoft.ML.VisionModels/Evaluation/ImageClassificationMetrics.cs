using System.Globalization;
using System.Text;

namespace Microsoft.ML.VisionModels;

/// <summary>How well an image classifier did: what <c>mlContext.MulticlassClassification.EvaluateImageClassifier</c> gives.</summary>
/// <remarks>Of no rows, every measure is NaN.</remarks>
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

    /// <summary>The share of rows whose label is among the five likeliest classes, 0 to 1; with fewer than five classes, always 1.</summary>
    public required double Top5Accuracy { get; init; }

    /// <summary>The mean of the recalls of the classes that occur, 0 to 1: each class counts the same, however many rows it has.</summary>
    public required double MacroAccuracy { get; init; }

    /// <summary>The mean of -ln(probability of the true class): 0 is perfect, ln(classes) is guessing. NaN where scores are no probabilities.</summary>
    public required double LogLoss { get; init; }

    /// <summary>
    /// How far confidence is from accuracy, the mean over 15 equal bins weighted by their rows, 0 to 1 (Guo et al. 2017,
    /// arXiv 1706.04599). NaN where scores are no probabilities.
    /// </summary>
    public required double ExpectedCalibrationError { get; init; }

    /// <summary>The 15 bins behind <see cref="ExpectedCalibrationError"/>, from 0 to 1: a reliability diagram's bars. Empty where scores are no probabilities.</summary>
    public required IReadOnlyList<ReliabilityBin> Reliability { get; init; }

    /// <summary>Every class, in the order of the score's slots.</summary>
    public required IReadOnlyList<ClassMetrics> Classes { get; init; }

    /// <summary>Counts of rows, by true class and predicted class.</summary>
    public required ConfusionCounts ConfusionMatrix { get; init; }

    /// <summary>The measures, and a line a class, as text for people.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Line($"{Count:N0} rows in {Classes.Count:N0} classes; left out {LeftOut.Total:N0}: {LeftOut.NoLabel:N0} without a label, {LeftOut.UnknownLabel:N0} of another class, {LeftOut.NoPrediction:N0} without a prediction");
        Line($"top-1 accuracy {Top1Accuracy:0.0000}, top-5 {Top5Accuracy:0.0000}, mean of classes {MacroAccuracy:0.0000}, log loss {LogLoss:0.0000}, calibration error {ExpectedCalibrationError:0.0000}");
        var width = Classes.Select(each => each.Label.Length).Append("class".Length).Max();
        Line($"{"class".PadRight(width)}  {"rows",7}  precision  recall      F1");
        foreach (var each in Classes)
            Line($"{each.Label.PadRight(width)}  {each.Count,7}  {each.Precision,9:0.0000}  {each.Recall,6:0.0000}  {each.F1,6:0.0000}");
        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
