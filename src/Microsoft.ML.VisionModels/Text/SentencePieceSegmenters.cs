using System.Text;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Splits a normalized text into the pieces of a SentencePiece vocabulary.</summary>
internal interface ISegmenter
{
    /// <summary>The pieces in order, with their lengths in the text. Characters that the vocabulary does not have get the id of the unknown piece.</summary>
    List<(int Id, int Length)> Segment(string text);
}

/// <summary>
/// Finds the most likely segmentation by the unigram language model of "Subword Regularization" (arXiv 1804.10959), with Viterbi's algorithm.
/// </summary>
internal sealed class UnigramSegmenter : ISegmenter
{
    /// <summary>How much lower the score of an unknown character is than the lowest score of a piece.</summary>
    private const float UnknownPenalty = 10;

    private readonly int _unknown;
    private readonly float _unknownScore;
    private readonly double[] _scores;
    private readonly PrefixTrie _pieces = new();

    public UnigramSegmenter(SentencePieceModel model, int unknown)
    {
        _unknown = unknown;
        var scores = model.Pieces.Where(piece => piece.Kind == SentencePieceKind.Normal).Select(piece => piece.Score).DefaultIfEmpty(0).ToArray();
        _unknownScore = scores.Min() - UnknownPenalty;
        // google/sentencepiece starts the maximum at the smallest positive normal float.
        var best = Math.Max(scores.Max(), 1.17549435e-38f);
        _scores = [.. model.Pieces.Select(piece => piece.Kind == SentencePieceKind.UserDefined ? Encoding.UTF8.GetByteCount(piece.Text) * best - 0.1 : piece.Score)];
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            if (model.Pieces[id].Kind is SentencePieceKind.Normal or SentencePieceKind.UserDefined)
                _pieces.Add(model.Pieces[id].Text, id);
        }
    }

    public List<(int Id, int Length)> Segment(string text)
    {
        // For each position, the score of the best segmentation up to there, and the id and the start of its last piece.
        var best = new (float Score, int Id, int Start)[text.Length + 1];
        Array.Fill(best, (0, PrefixTrie.None, -1));
        for (var start = 0; start < text.Length;)
        {
            var (node, here) = (0, best[start].Score);
            var character = char.IsHighSurrogate(text[start]) ? 2 : 1;
            var known = false;
            for (var end = start; end < text.Length && _pieces.Step(ref node, text[end], out var id);)
            {
                end++;
                if (id == PrefixTrie.None)
                    continue;
                Offer(end, id, _scores[id] + here);
                known |= end - start == character;
            }
            if (!known)
                Offer(start + character, _unknown, _unknownScore + here);
            start += character;

            void Offer(int end, int id, double score)
            {
                // As in google/sentencepiece, the scores are compared before they are rounded to float, which decides near-ties.
                if (best[end].Start < 0 || score > best[end].Score)
                    best[end] = ((float)score, id, start);
            }
        }

        var pieces = new List<(int, int)>();
        for (var end = text.Length; end > 0; end = best[end].Start)
            pieces.Add((best[end].Id, end - best[end].Start));
        pieces.Reverse();
        return pieces;
    }
}

/// <summary>
/// SentencePiece's byte-pair encoding, which works on characters: two neighbors are merged if they form a piece together, the piece with the
/// highest score first. User-defined pieces are found first and are never merged.
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
                symbols.Add(Unmergeable(id));
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

    /// <summary>Adds all pairs of symbols that form this piece together.</summary>
    private void AddMerges(int id, string piece, int rank)
    {
        for (var i = 1; i < piece.Length; i++)
        {
            if (!char.IsLowSurrogate(piece[i]) && Symbol(piece.AsSpan(0, i)) is { } left && Symbol(piece.AsSpan(i)) is { } right)
                _merger.Add(left, right, rank, id);
        }
    }

    // The numbers of symbols: first the ids of the pieces, then user-defined pieces, which must not be merged, and then the characters that
    // the vocabulary does not have.
    private int Unmergeable(int id) => _model.Pieces.Count + id;

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
