namespace Microsoft.ML.VisionModels.Search;

/// <summary>
/// Finds the rows that are closest to each of many queries. Threads take blocks of rows, which come from memory once however many
/// queries there are, and multiply them with blocks of queries, which stay in the cache.
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
    /// <param name="rows">Unit vectors; their blocks' rows are whole tiles.</param>
    /// <param name="queries">Unit vectors, at least one.</param>
    /// <param name="top">How many rows are wanted for each query; at least 1.</param>
    /// <param name="maxThreads">At least 1.</param>
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
