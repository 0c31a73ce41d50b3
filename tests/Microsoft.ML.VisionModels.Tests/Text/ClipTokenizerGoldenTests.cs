using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>Tokens as OpenAI's and Hugging Face's tokenizers give them for 60 texts, with the published vocabulary.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "Clip")]
public class ClipTokenizerGoldenTests
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
            AssertTokens(entry, "hf_fast", huggingFace.Encode(text));
            AssertTokens(entry, "openai", openAI.Encode(text));

            var words = ClipWords.SplitCleaned(ClipTextCleaner.OpenAI(text, repair: false), special: true);
            AssertTokens(entry, "openai_without_ftfy", [openAI.StartToken, .. words.SelectMany(word => openAI.EncodeWord(word.Span)), openAI.EndToken]);
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void RowsAreTheReference(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        string[] texts = [.. Entries(golden).Select(entry => entry.GetProperty("text").GetString()!)];

        var (ids, mask) = Rows(Load(ClipTextCleaning.HuggingFace), texts);
        AssertRows(golden, "hf.input_ids_padded_77", ids);
        AssertRows(golden, "hf.attention_mask", mask);
        AssertRows(golden, "openai.tokenize_truncate_77", Rows(Load(ClipTextCleaning.OpenAI), texts).Ids);
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
        Assert.All(tokenizers, tokenizer => Assert.Equal((49408, 49406, 49407), (tokenizer.VocabularySize, tokenizer.StartToken, tokenizer.EndToken)));
        foreach (var entry in Entries(golden))
            Assert.All(tokenizers, tokenizer => AssertTokens(entry, "hf_fast", tokenizer.Encode(entry.GetProperty("text").GetString()!)));
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

    private static void AssertTokens(JsonElement entry, string column, int[] actual)
    {
        var expected = entry.GetProperty(column).EnumerateArray().Select(id => id.GetInt32()).ToArray();
        Assert.True(expected.SequenceEqual(actual), $"{column} of {entry.GetProperty("text").GetRawText()} is [{string.Join(", ", expected)}], but we get [{string.Join(", ", actual)}].");
    }

    private static (long[] Ids, long[] Mask) Rows(ClipTokenizer tokenizer, string[] texts)
    {
        var ids = new long[texts.Length * 77];
        var mask = new long[texts.Length * 77];
        for (var i = 0; i < texts.Length; i++)
        {
            var count = tokenizer.Encode(texts[i], ids.AsSpan(i * 77, 77));
            mask.AsSpan(i * 77, count).Fill(1);
        }
        return (ids, mask);
    }

    private static void AssertRows(GoldenCase golden, string tensor, long[] actual)
    {
        using var expected = golden.Expected(tensor);
        Assert.Equal([actual.Length / 77, 77], expected.shape);
        Assert.Equal(expected.data<long>().ToArray(), actual);
    }
}
