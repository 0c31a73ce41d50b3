using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>The tokens of a CLIP tokenizer and the pairs that merge into them.</summary>
internal sealed class ClipVocabulary
{
    public const string StartToken = "<|startoftext|>";
    public const string EndToken = "<|endoftext|>";

    /// <summary>What the last symbol of a word carries.</summary>
    public const string WordEnd = "</w>";

    public static readonly string[] SpecialTokens = [StartToken, EndToken];

    /// <summary>The symbols of bytes, inside a word and at its end, and the special tokens.</summary>
    public const int SmallestSize = 256 + 256 + 2;

    private const string MergesHeader = "#version: 0.2";

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, int> _ids = [];

    /// <param name="tokens">By id.</param>
    /// <param name="merges">Those that come first apply first.</param>
    /// <param name="source">What to call the vocabulary in messages.</param>
    /// <exception cref="CheckpointException">The tokens and the merges do not fit each other, or are not CLIP's.</exception>
    public ClipVocabulary(IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges, string source)
    {
        (Tokens, Merges) = (tokens, merges);
        for (var id = 0; id < tokens.Count; id++)
        {
            if (!_ids.TryAdd(tokens[id], id))
                throw new CheckpointException($"{source} has the token '{tokens[id]}' twice.");
        }
        if (merges.Count == 0 && tokens.Count != SmallestSize)
            throw new CheckpointException($"{source} has no merges.");
        foreach (var (left, right) in merges)
        {
            foreach (var token in (string[])[left, right, left + right])
            {
                if (!_ids.ContainsKey(token))
                    throw new CheckpointException($"{source} merges '{left}' and '{right}', but '{token}' is not in the vocabulary.");
            }
        }
        Start = Special(StartToken);
        End = Special(EndToken);
        Added = [.. tokens.Except([.. BaseTokens, .. merges.Select(merge => merge.Left + merge.Right), .. SpecialTokens])];

        int Special(string token) => TryGetId(token, out var id) ? id : throw new CheckpointException($"{source} has no token {token}; it is not CLIP's.");
    }

    /// <summary>By id.</summary>
    public IReadOnlyList<string> Tokens { get; }

    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Tokens that no merge leads to, and that are found as they are written: words that were learned (arXiv 2208.01618).</summary>
    public IReadOnlyList<string> Added { get; }

    public int Start { get; }

    public int End { get; }

    /// <summary>
    /// The vocabulary that follows from the merges in OpenAI's order: the symbols of bytes, the same at the end of a word, what the
    /// merges give, and the special tokens.
    /// </summary>
    public static ClipVocabulary FromMerges(IReadOnlyList<(string Left, string Right)> merges, string source)
    {
        var tokens = new OrderedDictionary<string, int>();
        foreach (var token in BaseTokens.Concat(merges.Select(merge => merge.Left + merge.Right)).Concat(SpecialTokens))
            tokens.TryAdd(token, tokens.Count);
        return new([.. tokens.Keys], merges, source);
    }

    /// <summary>What every vocabulary begins with.</summary>
    public static IEnumerable<string> BaseTokens => ByteSymbols.BaseTokens(WordEnd);

    public bool TryGetId(string token, out int id) => _ids.TryGetValue(token, out id);

    /// <summary>The content of <c>vocab.json</c> and of <c>merges.txt</c>.</summary>
    public (string Vocabulary, string Merges) ToTexts() =>
    (
        new JsonObject(Tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))).ToJsonString(Readable),
        string.Concat(Merges.Select(merge => $"{merge.Left} {merge.Right}\n").Prepend(MergesHeader + "\n"))
    );
}
