namespace Microsoft.ML.VisionModels.Text;

/// <summary>A trie, which finds the words of a set that a text starts with.</summary>
internal sealed class PrefixTrie
{
    public const int None = -1;

    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<int> _values = [None];

    /// <param name="word">The word, which must not be empty.</param>
    /// <param name="value">Its value, which must not be negative.</param>
    public void Add(string word, int value)
    {
        var node = 0;
        foreach (var next in word)
        {
            if (!_edges.TryGetValue((node, next), out var child))
            {
                child = _values.Count;
                _edges[(node, next)] = child;
                _values.Add(None);
            }
            node = child;
        }
        _values[node] = value;
    }

    /// <summary>Goes from a node to its child for a character.</summary>
    /// <param name="node">The node; 0 is the root.</param>
    /// <param name="next">The character.</param>
    /// <param name="value">The value of the word that ends at the child; <see cref="None"/> where none does.</param>
    /// <returns>False where no word goes on with this character.</returns>
    public bool Step(ref int node, char next, out int value)
    {
        var known = _edges.TryGetValue((node, next), out node);
        value = known ? _values[node] : None;
        return known;
    }

    /// <summary>The length and the value of the longest word that the text starts with; 0 and <see cref="None"/> where it starts with none.</summary>
    public (int Length, int Value) Longest(ReadOnlySpan<char> text)
    {
        var (longest, node) = ((Length: 0, Value: None), 0);
        for (var i = 0; i < text.Length && Step(ref node, text[i], out var value); i++)
        {
            if (value != None)
                longest = (i + 1, value);
        }
        return longest;
    }
}
