using System.Text;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Reads what vocabulary files hold. All that is wrong with them is a <see cref="CheckpointException"/> that names the source.</summary>
internal static class ClipVocabularyReader
{
    /// <summary>Those of OpenAI's file that count: it goes on with merges that CLIP does not use.</summary>
    private const int OpenAIMerges = 49152 - 256 - 2;

    /// <summary>The contents of <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    public static ClipVocabulary FromTexts(string vocabulary, string merges, string source) =>
        new(Tokens(Parse(vocabulary, source), [], source), MergeLines(merges, int.MaxValue, source), source);

    /// <summary>The content of <c>bpe_simple_vocab_16e6.txt</c>.</summary>
    public static ClipVocabulary FromOpenAI(string text, string source) => MergeLines(text, OpenAIMerges, source) is { Length: > 0 } merges
        ? ClipVocabulary.FromMerges(merges, source)
        : throw new CheckpointException($"{source} has no merges.");

    /// <summary>The content of <c>tokenizer.json</c>.</summary>
    public static ClipVocabulary FromTokenizer(string text, string source)
    {
        var root = Parse(text, source);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("model", out var model) || model.ValueKind != JsonValueKind.Object)
            throw new CheckpointException($"{source} is not a tokenizer: it has no object 'model'.");
        Expect("type", "BPE");
        Expect("end_of_word_suffix", ClipVocabulary.WordEnd);
        Expect("continuing_subword_prefix", "");

        var added = root.TryGetProperty("added_tokens", out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().ToArray() : [];
        var tokens = model.TryGetProperty("vocab", out var vocabulary) ? Tokens(vocabulary, added, source) : throw new CheckpointException($"{source} has no vocabulary.");
        return new ClipVocabulary(tokens, model.TryGetProperty("merges", out var merges) ? Merges(merges, source) : [], source);

        void Expect(string name, string expected)
        {
            var actual = model.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : name == "type" ? expected : "";
            if (actual != expected)
                throw new CheckpointException($"{source} is not CLIP's tokenizer: the {name} of its model is '{actual}', not '{expected}'.");
        }
    }

    private static JsonElement Parse(string text, string source) => Utf8Text.ParseJson(Encoding.UTF8.GetBytes(text), source);

    /// <summary>The tokens in the order of their ids, which count from 0.</summary>
    private static string[] Tokens(JsonElement vocabulary, JsonElement[] added, string source)
    {
        if (vocabulary.ValueKind != JsonValueKind.Object)
            throw new CheckpointException($"{source} is no vocabulary: it should be an object that gives a number to each token.");

        var ids = new Dictionary<string, JsonElement>();
        foreach (var entry in vocabulary.EnumerateObject())
        {
            if (!ids.TryAdd(entry.Name, entry.Value))
                throw new CheckpointException($"{source} has the token '{entry.Name}' twice.");
        }
        foreach (var token in added)
        {
            if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
                && token.TryGetProperty("id", out var id))
                ids[content.GetString()!] = id;
        }

        var tokens = new string?[ids.Count];
        foreach (var (token, number) in ids)
        {
            if (number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out var id) || id < 0 || id >= tokens.Length || tokens[id] is not null)
                throw new CheckpointException($"{source} must give each number from 0 to {tokens.Length - 1} to one token; '{token}' does not fit.");
            tokens[id] = token;
        }
        return tokens!;
    }

    /// <summary>Texts of two tokens, or, in newer files, lists of two.</summary>
    private static (string, string)[] Merges(JsonElement merges, string source) => merges.ValueKind == JsonValueKind.Array
        ? [.. merges.EnumerateArray().Select(merge => merge.ValueKind switch
        {
            JsonValueKind.String => Merge(merge.GetString()!.Split(' '), source),
            JsonValueKind.Array => Merge([.. merge.EnumerateArray().Select(part => part.ValueKind == JsonValueKind.String ? part.GetString()! : "")], source),
            _ => throw NoMerge(merge.GetRawText(), source),
        })]
        : throw new CheckpointException($"{source} has no list of merges.");

    private static (string, string)[] MergeLines(string text, int count, string source)
    {
        var lines = text.Split('\n').Select(line => line.TrimEnd('\r'));
        return [.. lines.SkipWhile((line, index) => index == 0 && line.Contains("#version", StringComparison.Ordinal))
            .Where(line => line.Length > 0).Take(count).Select(line => Merge(line.Split(' '), source))];
    }

    private static (string, string) Merge(string[] parts, string source) =>
        parts is [{ Length: > 0 } left, { Length: > 0 } right] ? (left, right) : throw NoMerge(string.Join(' ', parts), source);

    private static CheckpointException NoMerge(string text, string source) => new($"{source} should name two tokens in each merge, but has '{text}'.");
}
