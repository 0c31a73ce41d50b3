using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Tests.Text;

public class SentencePieceTokenizerTests
{
    [Theory]
    [InlineData("unigram")]
    [InlineData("bpe")]
    public void TokensAreTheLibrarys(string model)
    {
        var tokenizer = SentencePieceCases.Open(model);
        var (ids, decoded) = (SentencePieceCases.Expected<int[][]>(model, "ids"), SentencePieceCases.Expected<string[]>(model, "decoded"));
        foreach (var (i, text) in SentencePieceCases.Texts.Index())
        {
            Assert.Equal(ids[i], tokenizer.Encode(text));
            Assert.Equal(decoded[i], tokenizer.Decode(ids[i]));
        }
    }

    [Fact]
    [Trait("Category", "RealData")]
    [Trait("Family", "Text")]
    public void LlamasTokensAreTheLibrarys()
    {
        var tokenizer = SentencePieceTokenizer.Load(TestFolders.Data("llama/tokenizer.model"));
        var (expected, config) = (Json("llama/expected.json"), Json("llama/config.json"));
        Assert.NotEqual(0, expected.GetArrayLength());
        foreach (var entry in expected.EnumerateArray())
        {
            var prompt = entry.GetProperty("prompt").GetString()!;
            var (ids, further) = (Integers(entry.GetProperty("ids")), Integers(entry.GetProperty("greedy_ids")));
            Assert.Equal(ids, tokenizer.Encode(prompt, start: true));
            Assert.Equal(prompt, tokenizer.Decode(ids));
            Assert.Equal(prompt + entry.GetProperty("greedy_text").GetString(), tokenizer.Decode([.. ids, .. further]));
        }
        Assert.Equal(
            (config.GetProperty("vocab_size").GetInt32(), Token("bos_token_id"), Token("eos_token_id"), Token("pad_token_id"), "<unk>"),
            (tokenizer.VocabularySize, tokenizer.StartToken, tokenizer.EndToken, tokenizer.PadToken, tokenizer.Piece(tokenizer.UnknownToken)));

        int? Token(string name) => config.TryGetProperty(name, out var token) && token.ValueKind == JsonValueKind.Number ? token.GetInt32() : null;

        static JsonElement Json(string path) => JsonElement.Parse(File.ReadAllBytes(TestFolders.Data(path)));

        static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetInt32())];
    }

    [Fact]
    public void StartAndEndAreAddedWhereTheyAreWanted()
    {
        var tokenizer = SentencePieceCases.Open("unigram");
        var (start, end) = (tokenizer.StartToken!.Value, tokenizer.EndToken!.Value);
        Assert.Equal([start, .. tokenizer.Encode("a cat"), end], tokenizer.Encode("a cat", start: true, end: true));
        Assert.Equal("a cat", tokenizer.Decode([start, .. tokenizer.Encode("a cat"), end]));
        Assert.Equal(("<s>", "</s>"), (tokenizer.Piece(start), tokenizer.Piece(end)));

        var without = SentencePieceCases.Open("siglip");
        Assert.Equal((null, 1, 0), (without.StartToken, without.EndToken, without.PadToken));
        Assert.Throws<InvalidOperationException>(() => without.Encode("a", start: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => without.Decode([64]));
    }

    [Fact]
    public void HalvesOfCharactersAreBrokenCharacters()
    {
        var tokenizer = SentencePieceCases.Open("unigram");
        Assert.Equal(tokenizer.Encode("a\uFFFDb"), tokenizer.Encode("a\uD83Db"));
    }

    [Theory]
    [InlineData("unigram")]
    [InlineData("bpe")]
    public void TextsWithoutSpacesTakeNoTimeOfTheirOwn(string model)
    {
        var tokenizer = SentencePieceCases.Open(model);
        var text = string.Concat(Enumerable.Range(0, 200_000).Select(i => (char)('a' + i * 7919 % 26)));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        // A tenth of a second here; with the square of the length it would be many minutes.
        Assert.InRange(watch.Elapsed.TotalMinutes, 0, 1);
    }

    [Theory]
    [InlineData("unigram")]
    [InlineData("bpe")]
    public void DamagedFilesAreRefused(string model)
    {
        var file = File.ReadAllBytes(SentencePieceCases.File(model));
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var damaged = file.ToArray();
            damaged[random.Next(Math.Min(file.Length, 400 * (1 + i)))] ^= (byte)random.Next(1, 256);
            damaged = i % 2 == 0 ? damaged : damaged[..random.Next(damaged.Length)];
            try
            {
                // What still is a model may cut texts in another way.
                new SentencePieceTokenizer(SentencePieceModel.Parse(damaged, "file.model"), "file.model").Encode("a photo of \uFB01ve cats");
            }
            catch (CheckpointException e)
            {
                Assert.Contains("file.model", e.Message, StringComparison.Ordinal);
            }
        }
        Assert.Throws<CheckpointException>(() => SentencePieceModel.Parse([], "file.model"));
        Assert.Throws<FileNotFoundException>(() => SentencePieceTokenizer.Load("nothing.model"));
    }
}
