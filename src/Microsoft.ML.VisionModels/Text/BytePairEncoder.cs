using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Cuts words into tokens: "Neural Machine Translation of Rare Words with Subword Units" (arXiv 1508.07909), over bytes.</summary>
internal sealed class BytePairEncoder
{
    private readonly int[] _inside;
    private readonly int[] _last;
    private readonly SymbolMerger _merger = new();

    public BytePairEncoder(ClipVocabulary vocabulary)
    {
        _inside = [.. ByteSymbols.All.Select(symbol => Id($"{symbol}"))];
        _last = [.. ByteSymbols.All.Select(symbol => Id(symbol + ClipVocabulary.WordEnd))];
        for (var rank = 0; rank < vocabulary.Merges.Count; rank++)
        {
            var (left, right) = vocabulary.Merges[rank];
            _merger.Add(Id(left), Id(right), rank, Id(left + right));
        }

        // The end token doubles as that for what the vocabulary does not know, as Hugging Face has it.
        int Id(string token) => vocabulary.TryGetId(token, out var id) ? id : vocabulary.End;
    }

    public int[] Encode(ReadOnlySpan<byte> word)
    {
        var ids = new int[word.Length];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = (i == ids.Length - 1 ? _last : _inside)[word[i]];
        return ids.Length == 1 ? ids : _merger.Merge(ids);
    }
}
