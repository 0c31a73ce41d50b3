using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// Learns the merges of byte-pair encoding from words: "Neural Machine Translation of Rare Words with Subword Units" (arXiv 1508.07909).
/// Each merge is of the most frequent pair and, of several, of the first in ordinal order.
/// </summary>
internal sealed class BytePairLearner
{
    private readonly Dictionary<string, int> _counts = [];
    private readonly string _wordEnd;
    private readonly List<string> _names;
    private readonly Dictionary<string, int> _symbols;
    private readonly List<(List<int> Symbols, int Count)> _words = [];
    private readonly Dictionary<(int Left, int Right), PairUse> _pairs = [];
    private readonly PriorityQueue<(int Left, int Right), (long Count, string Left, string Right)> _queue = new(Comparer<(long Count, string Left, string Right)>.Create(Compare));

    /// <param name="wordEnd">The suffix of tokens at the end of a word.</param>
    public BytePairLearner(string wordEnd)
    {
        (_wordEnd, _names) = (wordEnd, [.. ByteSymbols.BaseTokens(wordEnd)]);
        _symbols = _names.Select((name, id) => (name, id)).ToDictionary(x => x.name, x => x.id);
    }

    public void Add(string word) => CollectionsMarshal.GetValueRefOrAddDefault(_counts, word, out _)++;

    /// <summary>The merges, in order.</summary>
    /// <param name="newTokens">The most new tokens that the merges may create.</param>
    public List<(string Left, string Right)> Learn(int newTokens)
    {
        foreach (var (word, count) in _counts)
            AddWord(word, count);
        foreach (var pair in _pairs.Keys)
            Offer(pair);

        var merges = new List<(string, string)>();
        while (newTokens > 0 && _queue.TryDequeue(out var pair, out var priority))
        {
            // Whenever a pair's count changes, it is added to the queue again, so an entry with another count is out of date.
            if (_pairs[pair].Count != priority.Count)
                continue;
            var (left, right) = (_names[pair.Left], _names[pair.Right]);
            merges.Add((left, right));
            // Merges of different pairs may give the same symbol.
            if (_symbols.TryAdd(left + right, _names.Count))
            {
                _names.Add(left + right);
                newTokens--;
            }
            Merge(pair, _symbols[left + right]);
        }
        return merges;
    }

    private void AddWord(string word, int count)
    {
        var bytes = Encoding.UTF8.GetBytes(word);
        var symbols = bytes.Select((value, i) => _symbols[i < bytes.Length - 1 ? $"{ByteSymbols.All[value]}" : ByteSymbols.All[value] + _wordEnd]);
        _words.Add(([.. symbols], count));
        Count(_words.Count - 1, 1);
    }

    private void Merge((int Left, int Right) pair, int merged)
    {
        var changed = new HashSet<(int, int)>();
        foreach (var index in _pairs[pair].Words.ToArray())
        {
            changed.UnionWith(Count(index, -1));
            var symbols = _words[index].Symbols;
            for (var i = 0; i < symbols.Count - 1; i++)
            {
                if (symbols[i] != pair.Left || symbols[i + 1] != pair.Right)
                    continue;
                symbols[i] = merged;
                symbols.RemoveAt(i + 1);
            }
            changed.UnionWith(Count(index, 1));
        }
        foreach (var other in changed)
            Offer(other);
    }

    /// <summary>Adds the pairs of a word to the counts, or subtracts them.</summary>
    private IEnumerable<(int, int)> Count(int index, int sign)
    {
        var (symbols, count) = _words[index];
        var pairs = symbols.Zip(symbols.Skip(1)).ToArray();
        foreach (var pair in pairs)
        {
            ref var use = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _);
            use ??= new PairUse();
            use.Count += sign * count;
            if (sign > 0)
                use.Words.Add(index);
            else
                use.Words.Remove(index);
        }
        return pairs;
    }

    private void Offer((int Left, int Right) pair)
    {
        if (_pairs[pair].Count >= 2)
            _queue.Enqueue(pair, (_pairs[pair].Count, _names[pair.Left], _names[pair.Right]));
    }

    private static int Compare((long Count, string Left, string Right) a, (long Count, string Left, string Right) b)
    {
        var order = b.Count.CompareTo(a.Count);
        order = order != 0 ? order : string.CompareOrdinal(a.Left, b.Left);
        return order != 0 ? order : string.CompareOrdinal(a.Right, b.Right);
    }

    /// <summary>How often a pair occurs, and the indices of the words in which it does.</summary>
    private sealed class PairUse
    {
        public long Count;
        public readonly HashSet<int> Words = [];
    }
}
