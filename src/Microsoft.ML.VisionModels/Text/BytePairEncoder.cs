namespace Microsoft.ML.VisionModels.Text;

/// <summary>Byte-pair encoding (BPE) of words: "Neural Machine Translation of Rare Words with Subword Units" (arXiv 1508.07909), over bytes.</summary>
internal sealed class BytePairEncoder
{
    private readonly int[] _inside; // the token of each byte within a word
    private readonly int[] _last;   // the token of each byte at the end of a word
    private readonly SymbolMerger _merger = new();

    /// <param name="merges">The merges, of which earlier ones come first.</param>
    /// <param name="wordEnd">The suffix of tokens at the end of a word.</param>
    /// <param name="idOf">The id of a token.</param>
    public BytePairEncoder(IReadOnlyList<(string Left, string Right)> merges, string wordEnd, Func<string, int> idOf)
    {
        _inside = [.. ByteSymbols.All.Select(symbol => idOf($"{symbol}"))];
        _last = [.. ByteSymbols.All.Select(symbol => idOf(symbol + wordEnd))];
        foreach (var (rank, (left, right)) in merges.Index())
            _merger.Add(idOf(left), idOf(right), rank, idOf(left + right));
    }

    public int[] Encode(ReadOnlySpan<byte> word)
    {
        var ids = new int[word.Length];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = (i == ids.Length - 1 ? _last : _inside)[word[i]];
        return ids.Length == 1 ? ids : _merger.Merge(ids);
    }
}

/// <summary>The printable characters that stand for bytes in byte-level vocabularies, as in GPT-2's.</summary>
internal static class ByteSymbols
{
    /// <summary>The bytes in the order of their symbols in a vocabulary: first those whose symbol is the character itself.</summary>
    private static readonly int[] s_order = [.. Enumerable.Range(0, 256).OrderBy(value => StandsForItself(value) ? 0 : 1)];

    /// <summary>The symbol of each byte.</summary>
    public static IReadOnlyList<char> All { get; } = Assign();

    /// <summary>The first tokens of a vocabulary: the symbols within a word, and then those at its end.</summary>
    /// <param name="wordEnd">The suffix of tokens at the end of a word.</param>
    public static IEnumerable<string> BaseTokens(string wordEnd) =>
        ((string[])["", wordEnd]).SelectMany(suffix => s_order.Select(value => All[value] + suffix));

    private static char[] Assign()
    {
        var symbols = new char[256];
        var next = (char)256;
        foreach (var value in s_order)
            symbols[value] = StandsForItself(value) ? (char)value : next++;
        return symbols;
    }

    private static bool StandsForItself(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}

/// <summary>
/// Merges pairs of neighboring symbols until no merge is left. The merge with the lowest rank comes first and, of several places, the
/// leftmost. The time is O(n log n) in the number of symbols.
/// </summary>
internal sealed class SymbolMerger
{
    private const int Merged = -1;

    private readonly Dictionary<(int Left, int Right), (int Rank, int Result)> _merges = [];

    /// <summary>Adds a merge, and replaces an earlier one of the same pair.</summary>
    public void Add(int left, int right, int rank, int result) => _merges[(left, right)] = (rank, result);

    /// <param name="symbols">The symbols, which must not be negative. The array is overwritten.</param>
    public int[] Merge(int[] symbols)
    {
        // A linked list of the symbols, since a merge leaves a gap in the array.
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
            // The entry is out of date if one of the two symbols was merged with another one in the meantime.
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
