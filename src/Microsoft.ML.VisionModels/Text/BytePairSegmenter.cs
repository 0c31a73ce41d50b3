using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// SentencePiece's byte pairs, which are pairs of characters: two neighbors merge if together they are a piece, those of the highest score
/// first. Pieces of the user's are whole from the start, and stay as they are.
/// </summary>
internal sealed class BytePairSegmenter : ISegmenter
{
    private readonly SentencePieceModel _model;
    private readonly int _unknown;
    private readonly PrefixTrie _userDefined;
    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsBySpan;
    private readonly SymbolMerger _merger = new();

    public BytePairSegmenter(SentencePieceModel model, PrefixTrie userDefined, int unknown)
    {
        (_model, _userDefined, _unknown) = (model, userDefined, unknown);
        _idsBySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var pieces = model.Pieces.Index().Where(piece => piece.Item.IsInTexts).ToArray();
        foreach (var (id, piece) in pieces)
            _ids[piece.Text] = id;

        var rank = 0;
        foreach (var tie in pieces.GroupBy(piece => piece.Item.Score).OrderByDescending(tie => tie.Key))
        {
            foreach (var (id, piece) in tie)
                AddMerges(id, piece.Text, rank);
            rank++;
        }
    }

    public List<(int Id, int Length)> Segment(string text)
    {
        var symbols = new List<int>(text.Length);
        for (var start = 0; start < text.Length;)
        {
            var (length, id) = _userDefined.Longest(text.AsSpan(start));
            if (length > 0)
            {
                symbols.Add(Whole(id));
            }
            else
            {
                length = char.IsHighSurrogate(text[start]) ? 2 : 1;
                symbols.Add(Symbol(text.AsSpan(start, length))!.Value);
            }
            start += length;
        }
        return [.. _merger.Merge([.. symbols]).Select(Piece)];
    }

    /// <summary>All pairs of symbols that are this piece together.</summary>
    private void AddMerges(int id, string piece, int rank)
    {
        for (var i = 1; i < piece.Length; i++)
        {
            if (!char.IsLowSurrogate(piece[i]) && Symbol(piece.AsSpan(0, i)) is { } left && Symbol(piece.AsSpan(i)) is { } right)
                _merger.Add(left, right, rank, id);
        }
    }

    // Symbols are the ids; after them the pieces that do not merge; and after these the characters that the vocabulary does not know.
    private int Whole(int id) => _model.Pieces.Count + id;

    private int? Symbol(ReadOnlySpan<char> text) =>
        _idsBySpan.TryGetValue(text, out var id) ? id
        : Rune.DecodeFromUtf16(text, out var rune, out var length) == System.Buffers.OperationStatus.Done && length == text.Length ? 2 * _model.Pieces.Count + rune.Value
        : null;

    private (int Id, int Length) Piece(int symbol)
    {
        var count = _model.Pieces.Count;
        return symbol >= 2 * count ? (_unknown, new Rune(symbol - 2 * count).Utf16SequenceLength) : (symbol % count, _model.Pieces[symbol % count].Text.Length);
    }
}
