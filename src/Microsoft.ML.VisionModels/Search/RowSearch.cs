using System.Numerics.Tensors;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>
/// Finds the rows that are most similar to each of several queries. Each thread takes a block of rows at a time and multiplies it with all
/// blocks of queries, so that the rows are read from memory once for all queries.
/// </summary>
internal sealed class RowSearch
{
    private readonly RowStore _rows, _queries;
    private readonly BestRows[] _best;
    private readonly float[] _scores;

    private RowSearch(RowStore rows, RowStore queries, int top)
    {
        (_rows, _queries) = (rows, queries);
        _best = [.. Enumerable.Range(0, queries.Count).Select(_ => new BestRows(top))];
        _scores = new float[queries.Blocks[0].Capacity * rows.RowsPerBlock];
    }

    /// <summary>The best rows for each query.</summary>
    /// <param name="rows">Vectors of length 1, whose blocks have whole tiles of rows.</param>
    /// <param name="queries">Vectors of length 1; at least one.</param>
    /// <param name="top">How many rows to find for each query; at least 1.</param>
    /// <param name="maxThreads">The most threads to use; at least 1.</param>
    public static IReadOnlyList<BestRows> Run(RowStore rows, RowStore queries, int top, int maxThreads)
    {
        var all = new RowSearch(rows, queries, top);
        Parallel.For(
            0, rows.Blocks.Count, new ParallelOptions { MaxDegreeOfParallelism = maxThreads },
            () => new RowSearch(rows, queries, top),
            (block, _, part) => part.Search(block),
            all.Include);
        return all._best;
    }

    private RowSearch Search(int blockIndex)
    {
        var block = _rows.Blocks[blockIndex];
        for (var i = 0; i < _queries.Blocks.Count; i++)
        {
            var queries = _queries.Blocks[i];
            DotProducts.Compute(block, queries, _scores);
            for (var query = 0; query < queries.Count; query++)
            {
                _best[(i * _queries.RowsPerBlock) + query].Offer(
                    _scores.AsSpan(query * block.Capacity, block.Count), blockIndex * _rows.RowsPerBlock);
            }
        }
        return this;
    }

    private void Include(RowSearch part)
    {
        lock (_best)
        {
            for (var query = 0; query < _best.Length; query++)
                _best[query].Offer(part._best[query]);
        }
    }
}

/// <summary>Keeps the rows with the highest scores. Of rows with equal scores the first ones are kept, in whatever order they are offered.</summary>
/// <param name="capacity">How many rows to keep; at least 1.</param>
internal sealed class BestRows(int capacity)
{
    // The worst row comes first: the one with the lowest score and, of equal ones, the last row.
    private readonly PriorityQueue<int, (float Score, int NegatedRow)> _rows = new();
    private float _threshold = float.NegativeInfinity;   // the lowest score that can still be kept

    /// <summary>Offers the scores of consecutive rows.</summary>
    public void Offer(ReadOnlySpan<float> scores, int firstRow)
    {
        // After the first few blocks this is true of nearly all.
        if (TensorPrimitives.Max(scores) < _threshold)
            return;
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] >= _threshold)
                Offer(Math.Clamp(scores[i], -1, 1), firstRow + i);     // rounding may give slightly more than 1
        }
    }

    /// <summary>Offers the rows that another instance has kept.</summary>
    public void Offer(BestRows others)
    {
        foreach (var (row, rank) in others._rows.UnorderedItems)
            Offer(rank.Score, row);
    }

    /// <summary>Removes the rows that were kept and returns them, the best first.</summary>
    public IEnumerable<(int Row, float Score)> Take()
    {
        var sorted = new (int, float)[_rows.Count];
        for (var i = sorted.Length - 1; _rows.TryDequeue(out var row, out var rank); i--)
            sorted[i] = (row, rank.Score);
        return sorted;
    }

    private void Offer(float score, int row)
    {
        if (_rows.Count < capacity)
            _rows.Enqueue(row, (score, -row));
        else
            _rows.EnqueueDequeue(row, (score, -row));
        if (_rows.Count == capacity && _rows.TryPeek(out _, out var worst))
            _threshold = worst.Score;
    }
}
