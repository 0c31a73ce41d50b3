namespace Microsoft.ML.VisionModels;

/// <summary>
/// A confusion matrix: how many rows of each true class got each prediction. Only the cells that are not 0 are kept, so that a
/// thousand classes cost no million numbers.
/// </summary>
public sealed class ConfusionCounts
{
    private readonly IReadOnlyDictionary<(int True, int Predicted), long> _counts;

    internal ConfusionCounts(IReadOnlyList<string> labels, IReadOnlyDictionary<(int True, int Predicted), long> counts) => (Labels, _counts) = (labels, counts);

    /// <summary>The classes, in the order of rows and columns.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>The number of rows with this true and this predicted class, counted from 0.</summary>
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

    /// <summary>The cells that are not 0, row by row.</summary>
    public IEnumerable<(int TrueClass, int PredictedClass, long Count)> Cells =>
        _counts.OrderBy(cell => cell.Key).Select(cell => (cell.Key.True, cell.Key.Predicted, cell.Value));
}
