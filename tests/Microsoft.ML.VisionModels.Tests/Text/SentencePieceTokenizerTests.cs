using Microsoft.ML.VisionModels.Checkpoints;
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
        int[] ids = [15043, 29871, 3186, 904, 243, 162, 155, 131, 13, 921];     // of sentencepiece 0.1.97
        Assert.Equal(ids, tokenizer.Encode("Hello  world é\U0001F600\n x"));
        Assert.Equal("Hello  world é\U0001F600\n x", tokenizer.Decode(ids));
        Assert.Equal((32000, 0, 1, 2, null), (tokenizer.VocabularySize, tokenizer.UnknownToken, tokenizer.StartToken, tokenizer.EndToken, tokenizer.PadToken));
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
