namespace Microsoft.ML.VisionModels;

/// <summary>How a classifier did on one class.</summary>
/// <param name="Label">The class.</param>
/// <param name="Count">The rows that are of the class.</param>
/// <param name="Precision">Of the rows that were taken for the class, the share that is; 0 to 1, NaN where none was.</param>
/// <param name="Recall">Of the rows that are of the class, the share that was found; 0 to 1, NaN where there is none.</param>
/// <param name="F1">The harmonic mean of both; 0 to 1, NaN where the class neither occurs nor was answered.</param>
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
