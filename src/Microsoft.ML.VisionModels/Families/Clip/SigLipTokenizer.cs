using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// SigLIP's tokenizer (arXiv 2303.15343), as Hugging Face's <c>SiglipTokenizer</c> has it: lower case without punctuation, cut by
/// SentencePiece. It may be used from several threads at once.
/// </summary>
internal sealed partial class SigLipTokenizer : ITextTokenizer
{
    private const string EndPiece = "</s>";
    private const string UnknownPiece = "<unk>";
    private const string Space = "\u2581";

    private readonly byte[] _file;
    private readonly bool _lowerCase;
    private readonly SentencePieceTokenizer _pieces;
    private readonly int _prefixLength;

    /// <param name="file">The content of <c>spiece.model</c>.</param>
    /// <param name="lowerCase">Whether texts become lower case.</param>
    /// <param name="source">What to call the tokenizer in messages.</param>
    /// <exception cref="CheckpointException">The file is damaged, or has no end token.</exception>
    public SigLipTokenizer(byte[] file, bool lowerCase, string source)
    {
        (_file, _lowerCase) = (file, lowerCase);
        // Texts bring the space before their first word along.
        _pieces = new(SentencePieceModel.Parse(file, source) with { DummyPrefix = false }, source);
        EndToken = _pieces.TryGetId(EndPiece, out var end) ? end : throw new CheckpointException($"{source} has no token {EndPiece}; it is not SigLIP's.");
        _prefixLength = _pieces.Encode(UnknownPiece).Count;
    }

    public int VocabularySize => _pieces.VocabularySize;

    /// <summary>The token after a text, which also fills rows.</summary>
    public int EndToken { get; }

    public bool Knows(string text) => Tokens(text).Any(token => token != EndToken && token != _pieces.UnknownToken && _pieces.Piece(token) != Space);

    public int Encode(string text, Span<long> ids)
    {
        if (ids.Length < 1)
            throw new ArgumentException("A row of no length has no room for the end token.", nameof(ids));

        var tokens = Tokens(text);
        var count = Math.Min(tokens.Count, ids.Length - 1);
        if (count < tokens.Count)
            ITextTokenizer.SayCut(text, ids.Length);
        for (var i = 0; i < count; i++)
            ids[i] = tokens[i];
        ids[count..].Fill(EndToken);
        // A text that was written with its end gets no other.
        return count > 0 && tokens[count - 1] == EndToken ? count : count + 1;
    }

    /// <summary>Those of the text, without the end token.</summary>
    private List<int> Tokens(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var rest = Space + UnicodeText.ReplaceLoneSurrogates(text).Replace(Space, " ", StringComparison.Ordinal);
        if (_lowerCase)
            rest = UnicodeText.Lower(rest);

        var tokens = new List<int>();
        var start = 0;
        for (var mark = Marks().Match(rest); mark.Success; mark = mark.NextMatch())
        {
            tokens.AddRange(Words(rest[start..mark.Index]));
            // The space of a first word that there is not.
            if (tokens.Count == 1 && _pieces.Piece(tokens[0]) == Space)
                tokens.Clear();
            tokens.Add(mark.Value == EndPiece ? EndToken : _pieces.UnknownToken);
            start = mark.Index + mark.Length;
        }
        tokens.AddRange(Words(rest[start..]));
        return tokens;
    }

    /// <summary>
    /// The tokens of what lies between marks. It is cut behind a word whose tokens are dropped, so that SentencePiece does not take its
    /// first space for one in excess.
    /// </summary>
    private List<int> Words(string text)
    {
        var words = Canonical(text);
        if (words.Length == 0)
            return [];
        var tokens = _pieces.Encode(UnknownPiece + words);
        return tokens.Count >= _prefixLength ? tokens[_prefixLength..] : tokens;
    }

    /// <summary>Without ASCII's punctuation, white space as single spaces, none at the ends.</summary>
    private static string Canonical(string text)
    {
        var canonical = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (!IsSpace(character))
            {
                if (!char.IsAscii(character) || !(char.IsPunctuation(character) || char.IsSymbol(character)))
                    canonical.Append(character);
            }
            else if (canonical.Length > 0 && canonical[^1] != ' ')
            {
                canonical.Append(' ');
            }
        }
        return canonical.ToString().TrimEnd(' ');
    }

    /// <summary>As Python has it, which counts the four separators of ASCII among white space.</summary>
    private static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\u001C' and <= '\u001F';

    /// <summary>Tokens that mean something of their own, written in a text.</summary>
    [GeneratedRegex($"{EndPiece}|{UnknownPiece}")]
    private static partial Regex Marks();
}
