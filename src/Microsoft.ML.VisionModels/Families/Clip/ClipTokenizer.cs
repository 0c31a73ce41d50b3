using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>CLIP's tokenizer: byte pairs over lower-case words. It may be used from several threads at once.</summary>
internal sealed partial class ClipTokenizer : ITextTokenizer
{
    // Texts repeat their words; what is longer is rarely one.
    private const int LongestCachedWord = 32;
    private const int CachedWords = 1 << 16;

    private readonly ClipVocabulary _vocabulary;
    private readonly BytePairEncoder _encoder;
    private readonly Regex? _added;
    private readonly Dictionary<string, int[]> _addedTokens = [];
    private readonly ConcurrentDictionary<string, int[]> _words = new();
    private int _cached;

    public ClipTokenizer(ClipVocabulary vocabulary, ClipTextCleaning cleaning)
    {
        _vocabulary = vocabulary;
        // As in Hugging Face's tokenizer, the end token also stands for everything that the vocabulary does not have.
        _encoder = new BytePairEncoder(vocabulary.Merges, ClipVocabulary.WordEnd, token => vocabulary.TryGetId(token, out var id) ? id : vocabulary.End);
        Cleaning = cleaning;
        if (vocabulary.Added.Count == 0)
            return;
        foreach (var token in vocabulary.Added)
            _addedTokens[token] = [.. Numbered(token).Select(one => IdOf(one)).TakeWhile(id => id is not null).Select(id => id!.Value)];
        // The longest that fits.
        _added = new(string.Join('|', vocabulary.Added.OrderByDescending(token => token.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant);

        // As diffusers names the vectors of a word that has several.
        static IEnumerable<string> Numbered(string token) => Enumerable.Range(1, int.MaxValue - 1).Select(i => $"{token}_{i}").Prepend(token);
    }

    public ClipTextCleaning Cleaning { get; }

    public int VocabularySize => _vocabulary.Tokens.Count;

    public int StartToken => _vocabulary.Start;

    public int EndToken => _vocabulary.End;

    /// <summary>The same tokenizer with further tokens, which are found in texts as they are written, before these are cleaned.</summary>
    /// <exception cref="CheckpointException">One is in the vocabulary already.</exception>
    public ClipTokenizer With(IEnumerable<string> tokens) => new(new([.. _vocabulary.Tokens, .. tokens], _vocabulary.Merges, "The vocabulary with learned words"), Cleaning);

    /// <summary>The number of a token as the vocabulary writes it; null where it has none.</summary>
    public int? IdOf(string token) => _vocabulary.TryGetId(token, out var id) ? id : null;

    /// <summary>What fills a row after the end token: Hugging Face repeats that token, OpenAI writes zeros.</summary>
    private int Padding => Cleaning == ClipTextCleaning.HuggingFace ? EndToken : 0;

    public bool Knows(string text) => Encode(text).Any(token => token != StartToken && token != EndToken);

    /// <summary>All tokens of a text, between the start and the end token.</summary>
    public int[] Encode(string text) => [.. Tokens(text, int.MaxValue), EndToken];

    public int Encode(string text, Span<long> ids)
    {
        if (ids.Length < 2)
            throw new ArgumentException($"A row of {ids.Length} has no room for the start and the end token.", nameof(ids));

        var tokens = Tokens(text, ids.Length);
        var count = Math.Min(tokens.Count, ids.Length - 1);
        if (count < tokens.Count)
            ITextTokenizer.SayCut(text, ids.Length);
        for (var i = 0; i < count; i++)
            ids[i] = tokens[i];
        ids[count] = EndToken;
        ids[(count + 1)..].Fill(Padding);
        return count + 1;
    }

    /// <summary>The start token and those of the text; not all, if there are more than <paramref name="enough"/>.</summary>
    private List<int> Tokens(string text, int enough)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new List<int> { StartToken };
        var start = 0;
        for (var added = _added?.Match(text); added is { Success: true }; added = added.NextMatch())
        {
            AddWords(text[start..added.Index]);
            tokens.AddRange(_addedTokens[added.Value]);
            start = added.Index + added.Length;
        }
        AddWords(text[start..]);
        return tokens;

        void AddWords(string part)
        {
            foreach (var word in ClipWords.Split(part, Cleaning))
            {
                if (tokens.Count >= enough)
                    break;
                tokens.AddRange(EncodeWord(word.Span));
            }
        }
    }

    /// <summary>The tokens of a word of cleaned text; the special tokens are words too.</summary>
    public int[] EncodeWord(ReadOnlySpan<char> word)
    {
        if (word is ClipVocabulary.StartToken)
            return [StartToken];
        if (word is ClipVocabulary.EndToken)
            return [EndToken];
        if (word.Length > LongestCachedWord)
            return Merge(word);
        if (_words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out var known))
            return known;

        var tokens = Merge(word);
        if (Interlocked.Increment(ref _cached) > CachedWords)
        {
            _cached = 0;
            _words.Clear();
        }
        _words[word.ToString()] = tokens;
        return tokens;
    }

    private int[] Merge(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        return _encoder.Encode(bytes);
    }
}
