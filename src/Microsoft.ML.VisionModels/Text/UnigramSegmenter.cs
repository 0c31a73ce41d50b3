using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// The likeliest way to cut a text: the unigram language model of "Subword Regularization" (arXiv 1804.10959), by Viterbi's algorithm.
/// </summary>
internal sealed class UnigramSegmenter : ISegmenter
{
    /// <summary>By how much an unknown character is worse than the worst piece.</summary>
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
        // Never below the smallest float above 0, in google/sentencepiece.
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
        // Of the best way to reach each position: its score, and the last piece and where that starts.
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
                // Compared before rounding, as in google/sentencepiece: near-ties depend on it.
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
