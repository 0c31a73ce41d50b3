using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Families.Clip;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>Tokens as OpenAI's and Hugging Face's tokenizers give them, with the published vocabulary.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Clip")]
public partial class ClipTokenizerGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("clip-tokenizer");

    // hf_slow_without_ftfy is not ours: no checkpoint's files ask for it. It is what Hugging Face's Python tokenizer does where ftfy is not
    // installed: BERT's cleaning, which takes spaces and signs for something else than both CLIPs do.
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void TokensAreTheReference(string name)
    {
        using var golden = GoldenCase.Open(name);
        var huggingFace = Load(ClipTextCleaning.HuggingFace);
        var openAI = Load(ClipTextCleaning.OpenAI);
        foreach (var entry in Entries(golden))
        {
            var text = entry.GetProperty("text").GetString()!;
            Assert.True(
                AssertTokens(entry, "hf_fast", () => huggingFace.Encode(text))
                | AssertTokens(entry, "openai", () => openAI.Encode(text))
                | AssertTokens(entry, "openai_without_ftfy", () =>
                [
                    openAI.StartToken,
                    .. ClipWords.SplitCleaned(ClipTextCleaner.OpenAI(text, repair: false), special: true).SelectMany(word => openAI.EncodeWord(word.Span)),
                    openAI.EndToken,
                ]),
                $"There is nothing to compare for {entry.GetRawText()}.");
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void RowsAreTheReference(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        string[] texts = [.. Entries(golden).Select(entry => entry.GetProperty("text").GetString()!)];

        foreach (var (tensor, match) in golden.Matching(RowsName()))
        {
            using var expected = golden.Expected(tensor);
            Assert.Equal(texts.Length, expected.shape[0]);
            InvariantMode.MayRefuse(() =>
            {
                var (ids, mask) = Rows(Load(match.Groups["by"].Value == "hf" ? ClipTextCleaning.HuggingFace : ClipTextCleaning.OpenAI), texts, (int)expected.shape[1]);
                Assert.Equal(expected.data<long>().ToArray(), match.Groups["what"].Value == "attention_mask" ? mask : ids);
            });
        }
        golden.AssertNoneForgotten(golden.Tensors.Keys.Where(tensor => !RowsName().IsMatch(tensor)));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void AllPublishedFilesGiveTheSame(string name)
    {
        using var golden = GoldenCase.Open(name);
        ClipTokenizer[] tokenizers =
        [
            .. new[] { "", "tokenizer.json", "vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz" }
                .Select(file => ClipTokenizer.Load(TestFolders.Tokenizers(Path.Combine("clip", file)), ClipTextCleaning.HuggingFace)),
        ];
        using var file = JsonDocument.Parse(File.ReadAllBytes(TestFolders.Tokenizers("clip/vocab.json")));
        var vocabulary = file.RootElement.EnumerateObject().ToDictionary(token => token.Name, token => token.Value.GetInt32());
        var expected = (vocabulary.Count, vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]);
        Assert.All(tokenizers, tokenizer => Assert.Equal(expected, (tokenizer.VocabularySize, tokenizer.StartToken, tokenizer.EndToken)));
        foreach (var entry in Entries(golden))
            Assert.All(tokenizers, tokenizer => AssertTokens(entry, "hf_fast", () => tokenizer.Encode(entry.GetProperty("text").GetString()!)));
    }

    [Fact]
    public void CleaningIsThePublishers()
    {
        Assert.Equal(ClipTextCleaning.HuggingFace, ClipTokenizer.Load(TestFolders.Tokenizers("clip")).Cleaning);
        Assert.Equal(ClipTextCleaning.HuggingFace, ClipTokenizer.Load(TestFolders.Tokenizers("clip/vocab.json")).Cleaning);
        Assert.Equal(ClipTextCleaning.OpenAI, ClipTokenizer.Load(TestFolders.Tokenizers("clip/bpe_simple_vocab_16e6.txt.gz")).Cleaning);
    }

    private static ClipTokenizer Load(ClipTextCleaning cleaning) => ClipTokenizer.Load(TestFolders.Tokenizers("clip"), cleaning);

    private static JsonElement.ArrayEnumerator Entries(GoldenCase golden) => golden.ReadJson("tokens.json").EnumerateArray();

    /// <returns>Whether there is something to compare with.</returns>
    private static bool AssertTokens(JsonElement entry, string column, Func<int[]> encode)
    {
        if (!entry.TryGetProperty(column, out var tokens))
            return false;
        var expected = tokens.EnumerateArray().Select(id => id.GetInt32()).ToArray();
        InvariantMode.MayRefuse(() =>
        {
            var actual = encode();
            Assert.True(expected.SequenceEqual(actual), $"{column} of {entry.GetProperty("text").GetRawText()} is [{string.Join(", ", expected)}], but we get [{string.Join(", ", actual)}].");
        });
        return true;
    }

    private static (long[] Ids, long[] Mask) Rows(ClipTokenizer tokenizer, string[] texts, int length)
    {
        var ids = new long[texts.Length * length];
        var mask = new long[texts.Length * length];
        for (var i = 0; i < texts.Length; i++)
        {
            var count = tokenizer.Encode(texts[i], ids.AsSpan(i * length, length));
            mask.AsSpan(i * length, count).Fill(1);
        }
        return (ids, mask);
    }

    [GeneratedRegex(@"^(?<by>hf|openai)\.(?<what>input_ids_padded|attention_mask|tokenize_truncate)(_\d+)?$")]
    private static partial Regex RowsName();
}
