using System.Globalization;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// "SentencePiece: A simple and language independent subword tokenizer and detokenizer" (arXiv 1808.06226), for models of unigrams and of
/// byte pairs. Gives the tokens of google/sentencepiece. It may be used from several threads at once.
/// </summary>
internal sealed class SentencePieceTokenizer
{
    private readonly SentencePieceModel _model;
    private readonly SentencePieceNormalizer _normalizer;
    private readonly ISegmenter _segmenter;
    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<int, byte> _bytes = [];
    private readonly int[] _idsOfBytes = [];

    /// <exception cref="CheckpointException">The model is damaged.</exception>
    public SentencePieceTokenizer(SentencePieceModel model, string source)
    {
        _model = model;
        var userDefined = new PrefixTrie();
        foreach (var (id, piece) in model.Pieces.Index())
        {
            if (piece.Kind == SentencePieceKind.UserDefined)
                userDefined.Add(piece.Text, id);
            if (piece.Kind == SentencePieceKind.Unknown)
                UnknownToken = id;
            if (piece.Kind == SentencePieceKind.Byte)
                _bytes[id] = ByteOf(piece.Text) ?? throw new CheckpointException($"{source} has '{piece.Text}' for a byte; it should read as <0x41>.");
            // Where two pieces have the same text, the one that cannot be a part of a text is the one to find.
            if (piece.IsInTexts)
                _ids.TryAdd(piece.Text, id);
            else
                _ids[piece.Text] = id;
        }
        if (model.ByteFallback)
        {
            _idsOfBytes = [.. _bytes.OrderBy(entry => entry.Value).Select(entry => entry.Key)];
            if (_idsOfBytes.Length != 256)
                throw new CheckpointException($"{source} encodes unknown characters as bytes, but has only {_idsOfBytes.Length} of the 256.");
        }
        _normalizer = new(model, userDefined, source);
        _segmenter = model.Algorithm == SentencePieceAlgorithm.Unigram
            ? new UnigramSegmenter(model, UnknownToken)
            : new BytePairSegmenter(model, userDefined, UnknownToken);
    }

    public int VocabularySize => _model.Pieces.Count;

    public int UnknownToken { get; }

    /// <summary>The token at the start of a text; null where the model has none.</summary>
    public int? StartToken => ControlToken(_model.StartPiece);

    /// <summary>The token at the end of a text; null where the model has none.</summary>
    public int? EndToken => ControlToken(_model.EndPiece);

    /// <summary>The token that fills rows; null where the model has none.</summary>
    public int? PadToken => ControlToken(_model.PadPiece);

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or not a SentencePiece model.</exception>
    public static SentencePieceTokenizer Load(string file) => Path.Exists(file)
        ? new(SentencePieceModel.Parse(InputFile.ReadBytes(file, Limits.VocabularyBytes), file), file)
        : throw new FileNotFoundException($"There is no file {file}, which the tokenizer needs.", file);

    /// <summary>The text of a token, in which U+2581 stands for a space.</summary>
    public string Piece(int id) => _model.Pieces[id].Text;

    public bool TryGetId(string piece, out int id) => _ids.TryGetValue(piece, out id);

    /// <summary>The tokens of a text.</summary>
    /// <param name="text">The text. Where it contains the name of a control token, such as "&lt;s&gt;", that is text like any other.</param>
    /// <param name="start">Whether to add the start token.</param>
    /// <param name="end">Whether to add the end token.</param>
    /// <exception cref="InvalidOperationException">The model has no such token.</exception>
    public List<int> Encode(string text, bool start = false, bool end = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        if (start)
            ids.Add(StartToken ?? throw new InvalidOperationException("The model has no start token."));

        var normalized = _normalizer.Normalize(UnicodeText.ReplaceLoneSurrogates(text));
        var (position, afterUnknown) = (0, false);
        foreach (var (id, length) in _segmenter.Segment(normalized))
        {
            if (id != UnknownToken)
                ids.Add(id);
            else if (_model.ByteFallback)
                ids.AddRange(Encoding.UTF8.GetBytes(normalized.Substring(position, length)).Select(value => _idsOfBytes[value]));
            else if (!afterUnknown)     // several unknown characters in a row get one token
                ids.Add(id);
            afterUnknown = id == UnknownToken;
            position += length;
        }

        if (end)
            ids.Add(EndToken ?? throw new InvalidOperationException("The model has no end token."));
        return ids;
    }

    /// <summary>The text of tokens. Control tokens are left out.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var (text, bytes) = (new StringBuilder(), new List<byte>());
        // The space that was added before the first word is removed again.
        var (first, sawPrefix) = (true, false);
        foreach (var id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(ids));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize, nameof(ids));
            if (_bytes.TryGetValue(id, out var value))
            {
                bytes.Add(value);
                continue;
            }
            Flush();
            first &= !sawPrefix && text.Length == 0;
            sawPrefix = false;
            var piece = _model.Pieces[id];
            if (piece.Kind is SentencePieceKind.Control or SentencePieceKind.Unknown)
            {
                text.Append(piece.Kind == SentencePieceKind.Unknown ? _model.UnknownText : "");
                continue;
            }
            var prefixed = first && (_model.DummyPrefix || _model.RemoveExtraSpaces) && piece.Text[0] == SentencePieceNormalizer.SpaceMark;
            // Where extra spaces were removed, every space at the start was added.
            sawPrefix = prefixed && !_model.RemoveExtraSpaces;
            text.Append(piece.Text[(prefixed ? 1 : 0)..].Replace(SentencePieceNormalizer.SpaceMark, ' '));
        }
        Flush();
        return text.ToString();

        void Flush()
        {
            for (var rest = bytes.ToArray().AsSpan(); rest.Length > 0;)
            {
                // Each byte that does not begin a valid character becomes one replacement character.
                var whole = Rune.DecodeFromUtf8(rest, out var rune, out var consumed) == System.Buffers.OperationStatus.Done;
                text.Append(whole ? rune.ToString() : "\uFFFD");
                rest = rest[(whole ? consumed : 1)..];
            }
            bytes.Clear();
        }
    }

    private int? ControlToken(string piece) => _ids.TryGetValue(piece, out var id) && _model.Pieces[id].Kind == SentencePieceKind.Control ? id : null;

    private static byte? ByteOf(string piece) =>
        piece is ['<', '0', 'x', _, _, '>'] && byte.TryParse(piece.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;
}
