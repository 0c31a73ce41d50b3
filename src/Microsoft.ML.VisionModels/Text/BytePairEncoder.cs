namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// Cuts words into tokens: "Neural Machine Translation of Rare Words with Subword Units" (arXiv 1508.07909), over bytes. The time is
/// n log n in the length of a word, which text without spaces makes as long as it likes.
/// </summary>
internal sealed class BytePairEncoder
{
    private const int Merged = -1;

    private readonly int[] _inside;
    private readonly int[] _last;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Result)> _merges = [];

    public BytePairEncoder(ClipVocabulary vocabulary)
    {
        _inside = [.. ByteSymbols.All.Select(symbol => Id($"{symbol}"))];
        _last = [.. ByteSymbols.All.Select(symbol => Id(symbol + ClipVocabulary.WordEnd))];
        for (var rank = 0; rank < vocabulary.Merges.Count; rank++)
        {
            var (left, right) = vocabulary.Merges[rank];
            _merges[(Id(left), Id(right))] = (rank, Id(left + right));
        }

        // The end token doubles as that for what the vocabulary does not know, as Hugging Face has it.
        int Id(string token) => vocabulary.TryGetId(token, out var id) ? id : vocabulary.End;
    }

    public int[] Encode(ReadOnlySpan<byte> word)
    {
        var ids = new int[word.Length];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = (i == ids.Length - 1 ? _last : _inside)[word[i]];
        return ids.Length == 1 ? ids : Merge(ids);
    }

    /// <summary>Merges the pair of lowest rank, the leftmost of these, until none is left. Neighbours are linked, as merges leave gaps.</summary>
    private int[] Merge(int[] ids)
    {
        var next = new int[ids.Length];
        var previous = new int[ids.Length];
        var queue = new PriorityQueue<int, long>();
        for (var i = 0; i < ids.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
            Offer(i);
        }

        while (queue.TryDequeue(out var left, out var priority))
        {
            var right = next[left];
            // Out of date where one of the two has merged with another since.
            if (ids[left] == Merged || right == ids.Length || !_merges.TryGetValue((ids[left], ids[right]), out var merge) || Priority(merge.Rank, left) != priority)
                continue;

            (ids[left], ids[right]) = (merge.Result, Merged);
            next[left] = next[right];
            if (next[left] < ids.Length)
                previous[next[left]] = left;
            if (previous[left] >= 0)
                Offer(previous[left]);
            Offer(left);
        }
        return Array.FindAll(ids, id => id != Merged);

        void Offer(int left)
        {
            var right = next[left];
            if (right < ids.Length && _merges.TryGetValue((ids[left], ids[right]), out var merge))
                queue.Enqueue(left, Priority(merge.Rank, left));
        }
    }

    private static long Priority(int rank, int position) => (long)rank << 32 | (uint)position;
}
