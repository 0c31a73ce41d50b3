using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// Merges pairs of neighboring symbols, those of lowest rank first, the leftmost of these, until none is left. The time is n log n in the
/// number of symbols.
/// </summary>
internal sealed class SymbolMerger
{
    private const int Merged = -1;

    private readonly Dictionary<(int Left, int Right), (int Rank, int Result)> _merges = [];

    /// <summary>A pair that was added before is replaced.</summary>
    public void Add(int left, int right, int rank, int result) => _merges[(left, right)] = (rank, result);

    /// <param name="symbols">Not negative; they are overwritten.</param>
    public int[] Merge(int[] symbols)
    {
        // Neighbors are linked, as merges leave gaps.
        var next = new int[symbols.Length];
        var previous = new int[symbols.Length];
        var queue = new PriorityQueue<int, long>();
        for (var i = 0; i < symbols.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
            Offer(i);
        }

        while (queue.TryDequeue(out var left, out var priority))
        {
            var right = next[left];
            // Out of date where one of the two has merged with another since.
            if (symbols[left] == Merged || right == symbols.Length || !_merges.TryGetValue((symbols[left], symbols[right]), out var merge) || Priority(merge.Rank, left) != priority)
                continue;

            (symbols[left], symbols[right]) = (merge.Result, Merged);
            next[left] = next[right];
            if (next[left] < symbols.Length)
                previous[next[left]] = left;
            if (previous[left] >= 0)
                Offer(previous[left]);
            Offer(left);
        }
        return Array.FindAll(symbols, symbol => symbol != Merged);

        void Offer(int left)
        {
            var right = next[left];
            if (right < symbols.Length && _merges.TryGetValue((symbols[left], symbols[right]), out var merge))
                queue.Enqueue(left, Priority(merge.Rank, left));
        }
    }

    private static long Priority(int rank, int position) => (long)rank << 32 | (uint)position;
}
