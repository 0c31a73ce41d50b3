using System.Numerics.Tensors;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>The best of the rows that were offered. Of equal scores the first row's is the best, in whatever order the rows come.</summary>
/// <param name="most">How many are kept; at least 1.</param>
internal sealed class BestRows(int most)
{
    // The worst comes first: the lowest score, and of equal ones the last row.
    private readonly PriorityQueue<int, (float Score, int Before)> _rows = new();
    private float _bar = float.NegativeInfinity;   // what a score has to reach

    /// <summary>Offers the rows from a first one on.</summary>
    public void Offer(ReadOnlySpan<float> scores, int firstRow)
    {
        // True of nearly all, after the first few rows.
        if (TensorPrimitives.Max(scores) < _bar)
            return;
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] >= _bar)
                Offer(Math.Clamp(scores[i], -1, 1), firstRow + i);     // rounding may exceed 1
        }
    }

    /// <summary>Offers what another one has kept.</summary>
    public void Offer(BestRows others)
    {
        foreach (var (row, rank) in others._rows.UnorderedItems)
            Offer(rank.Score, row);
    }

    /// <summary>What was kept, the best first. Nothing is kept any more.</summary>
    public IEnumerable<(int Row, float Score)> Take()
    {
        var sorted = new (int, float)[_rows.Count];
        for (var i = sorted.Length - 1; _rows.TryDequeue(out var row, out var rank); i--)
            sorted[i] = (row, rank.Score);
        return sorted;
    }

    private void Offer(float score, int row)
    {
        if (_rows.Count < most)
            _rows.Enqueue(row, (score, -row));
        else
            _rows.EnqueueDequeue(row, (score, -row));
        if (_rows.Count == most && _rows.TryPeek(out _, out var worst))
            _bar = worst.Score;
    }
}
