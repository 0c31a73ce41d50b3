using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels.Tests.Text;

public sealed class SigLipTokenizerTests : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RowsAreThoseOfHuggingFace()
    {
        var tokenizer = SentencePieceCases.OpenSigLip();
        var rows = SentencePieceCases.Expected<long[][]>("siglip", "rows");
        foreach (var (i, text) in SentencePieceCases.Texts.Index())
            Assert.Equal(rows[i], Row(tokenizer, text, rows[i].Length));
    }

    [Fact]
    public void CasePunctuationAndSpacesDoNotMatter()
    {
        var tokenizer = SentencePieceCases.OpenSigLip();
        Assert.Equal(Row(tokenizer, "a photo of a cat"), Row(tokenizer, "A \n photo, of a CAT!  "));
        Assert.NotEqual(Row(tokenizer, "a photo of a cat"), Row(tokenizer, "a photo of a dog"));
    }

    [Fact]
    public void RowsEndAndArePaddedWithTheEndToken()
    {
        var tokenizer = SentencePieceCases.OpenSigLip();
        var row = new long[12];
        Assert.Equal(1, tokenizer.Encode("...", row));
        Assert.All(row, token => Assert.Equal(tokenizer.EndToken, token));

        var count = tokenizer.Encode("cat", row);
        Assert.InRange(count, 2, 8);
        Assert.DoesNotContain(tokenizer.EndToken, row[..(count - 1)]);
        Assert.All(row[(count - 1)..], token => Assert.Equal(tokenizer.EndToken, token));

        Assert.Equal(12, tokenizer.Encode(string.Concat(Enumerable.Repeat("cat ", 100)), row));
        Assert.DoesNotContain(tokenizer.EndToken, row[..11]);
        Assert.Equal(tokenizer.EndToken, row[11]);
    }

    [Theory]
    [InlineData("cat", true)]
    [InlineData("\u732b cat", true)]
    [InlineData("\u732b", false)]
    [InlineData("?!", false)]
    [InlineData("</s>", false)]
    public void TellsWhetherAnythingIsKnown(string text, bool known) => Assert.Equal(known, SentencePieceCases.OpenSigLip().Knows(text));

    [Fact]
    public void AFolderIsReadAsItWasWritten()
    {
        var tokenizer = new SigLipTokenizer(File.ReadAllBytes(SentencePieceCases.File("siglip")), lowerCase: false, "siglip");
        tokenizer.SaveFolder(_folder.Path, 64);
        foreach (var path in new[] { _folder.Path, _folder.File("spiece.model") })
        {
            Assert.Equal(Row(tokenizer, "a CAT"), Row(SigLipTokenizer.Load(path), "a CAT"));
            Assert.NotEqual(Row(tokenizer, "a cat"), Row(SigLipTokenizer.Load(path), "a CAT"));
        }
    }

    [Fact]
    public void WhatIsMissingOrAnothersIsNamed()
    {
        File.WriteAllText(_folder.File("tokenizer.json"), "{}");
        Assert.Contains("spiece.model", Assert.Throws<FileNotFoundException>(() => SigLipTokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"tokenizer_class": "GemmaTokenizer"}""");
        Assert.Contains("GemmaTokenizer", Assert.Throws<CheckpointException>(() => SigLipTokenizer.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private static long[] Row(SigLipTokenizer tokenizer, string text, int length = 64)
    {
        var row = new long[length];
        tokenizer.Encode(text, row);
        return row;
    }
}
