using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>What holds with any vocabulary.</summary>
public class ClipTokenizerTests
{
    [Theory]
    [InlineData("cat dog", "cat</w>", "dog</w>")]
    [InlineData("Cats", "ca", "t", "s</w>")]
    [InlineData("cat's 'S", "cat</w>", "'s</w>", "'s</w>")]
    [InlineData("!'s", "!", "'</w>", "s</w>")]
    [InlineData("42", "4</w>", "2</w>")]
    [InlineData("a1a", "a</w>", "1</w>", "a</w>")]
    [InlineData("aaaaa", "aaaa", "a</w>")]
    [InlineData("aaaaaa", "aaaa", "a", "a</w>")]
    [InlineData("\tdog\u00A0\r\n\u3000dog", "dog</w>", "dog</w>")]
    [InlineData("é", "Ã", "©</w>")]
    [InlineData("e\u0301", "Ã", "©</w>")]
    [InlineData("\U0001D400\U00010400", "ð", "Ŀ", "Ĳ", "Ģ", "ð", "Ĳ", "Ĳ", "¨</w>")]
    [InlineData("İ", "i</w>", "Ì", "ĩ</w>")]
    [InlineData("<|endoftext|>", "<|endoftext|>")]
    [InlineData("cat<|startoftext|>dog", "cat</w>", "<|startoftext|>", "dog</w>")]
    [InlineData("", new string[0])]
    [InlineData(" \n ", new string[0])]
    public void WordsAreCutIntoTheirTokens(string text, params string[] expected) => InvariantMode.MayRefuse(() => Assert.Equal(expected, TinyVocabulary.Tokenizer().Pieces(text)));

    [Fact]
    public void CleaningsDifferWhereTextIsBroken()
    {
        var openAI = TinyVocabulary.Tokenizer(ClipTextCleaning.OpenAI);
        InvariantMode.MayRefuse(() => Assert.Equal(["cat</w>", "<</w>", "dog</w>"], openAI.Pieces("cat &amp;lt; ｄｏｇ")));
        Assert.Equal(["cat</w>", "&</w>", "l", "t</w>", ";</w>"], TinyVocabulary.Tokenizer().Pieces("cat &lt;"));
        // Lower case first: OpenAI knows the special tokens in any case.
        Assert.Equal(["<|endoftext|>"], openAI.Pieces("<|EndOfText|>"));
        Assert.Equal("<", TinyVocabulary.Tokenizer().Pieces("<|EndOfText|>")[0]);
        // Python has a sigma at the end of a word.
        InvariantMode.MayRefuse(() => Assert.Equal(["Ï", "ĥ", "Ï", "Ĥ</w>"], openAI.Pieces("ΣΣ")));
        InvariantMode.MayRefuse(() => Assert.Equal(["Ï", "ĥ", "Ï", "ĥ</w>"], TinyVocabulary.Tokenizer().Pieces("ΣΣ")));
    }

    [Theory]
    [InlineData(ClipTextCleaning.HuggingFace, true)]
    [InlineData(ClipTextCleaning.OpenAI, false)]
    public void RowsArePaddedAndCut(ClipTextCleaning cleaning, bool endPads)
    {
        var tokenizer = TinyVocabulary.Tokenizer(cleaning);
        long start = tokenizer.StartToken, end = tokenizer.EndToken, cat = tokenizer.Encode("cat")[1], pad = endPads ? end : 0;
        (string Text, int Count, long[] Row)[] expected =
        [
            ("", 2, [start, end, pad, pad, pad]),
            ("cat", 3, [start, cat, end, pad, pad]),
            ("cat cat cat", 5, [start, cat, cat, cat, end]),
            ("cat cat cat cat", 5, [start, cat, cat, cat, end]),
            ("cat catcatcatcat", 5, [start, cat, tokenizer.Encode("catx")[1], tokenizer.Encode("txx")[1], end]),
        ];
        foreach (var (text, count, row) in expected)
        {
            var ids = new long[5];
            Array.Fill(ids, -1);
            Assert.Equal(count, tokenizer.Encode(text, ids));
            Assert.Equal(row, ids);
        }
        var shortest = new long[2];
        Assert.Equal(2, tokenizer.Encode("cat", shortest));
        Assert.Equal([start, end], shortest);
    }

    [Fact]
    public void ArgumentsAreChecked()
    {
        var tokenizer = TinyVocabulary.Tokenizer();
        Assert.Throws<ArgumentNullException>(() => tokenizer.Encode(null!));
        Assert.Throws<ArgumentNullException>(() => tokenizer.Encode(null!, new long[5]));
        Assert.Throws<ArgumentException>(() => tokenizer.Encode("cat", new long[1]));
    }

    [Theory]
    [InlineData(ClipTextCleaning.HuggingFace)]
    [InlineData(ClipTextCleaning.OpenAI)]
    public void LoneSurrogatesAreReplacementCharacters(ClipTextCleaning cleaning)
    {
        var tokenizer = TinyVocabulary.Tokenizer(cleaning);
        foreach (var lone in new[] { "\uD83D", "\uDE00", "\uDE00\uD83D", "é\uD83D" })
        {
            var replaced = string.Concat(lone.EnumerateRunes().Select(rune => rune.ToString()));
            Assert.Contains("\uFFFD", replaced, StringComparison.Ordinal);
            Assert.Equal(tokenizer.Encode($"cat {replaced} dog"), tokenizer.Encode($"cat {lone} dog"));
        }
        InvariantMode.MayRefuse(() => Assert.Equal(tokenizer.Pieces("é\uFFFE")[^1], tokenizer.Pieces("e\u0301\uFFFE")[^1]));
    }

    [Fact]
    public void ControlCharactersAreKeptByHuggingFaceAlone()
    {
        const string Text = "c\u0000a\u001Bt\u007F";
        Assert.Equal(["cat</w>"], TinyVocabulary.Tokenizer(ClipTextCleaning.OpenAI).Pieces(Text));
        Assert.Equal(["c</w>", "Ā</w>", "a</w>", "ě</w>", "t</w>", "ġ</w>"], TinyVocabulary.Tokenizer().Pieces(Text));
    }

    [Fact]
    public void ThreadsGiveTheSameTokens()
    {
        // More words than the cache holds, so that it is emptied on the way.
        var texts = Enumerable.Range(0, 2000).Select(i => string.Join(' ', Enumerable.Range(i * 50, 50).Select(word => $"w{Letters(word)}"))).ToArray();
        var shared = TinyVocabulary.Tokenizer();
        var parallel = new int[texts.Length][];
        Parallel.For(0, texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => parallel[i] = shared.Encode(texts[i]));
        var serial = TinyVocabulary.Tokenizer();
        Assert.All(texts.Index(), x => Assert.Equal(serial.Encode(x.Item), parallel[x.Index]));

        static string Letters(int number) => string.Concat($"{number:x}".Select(digit => (char)('a' + Convert.ToInt32($"{digit}", 16))));
    }

    /// <summary>A megabyte of each, of which the square would take hours.</summary>
    [Theory]
    [InlineData("cat dog ")]
    [InlineData("a")]
    [InlineData("世界")]
    [InlineData("!")]
    [InlineData("amp;")]
    [InlineData("cafÃ© â€œ")]
    [InlineData("Ã©")]
    [InlineData("<")]
    [InlineData("&#12345678")]
    [InlineData("Σ.")]
    [InlineData("é\n")]
    [InlineData("\u0301")]
    [InlineData("\u001B[;")]
    [InlineData("\uD83D")]
    public void TimeGrowsWithTheLength(string part)
    {
        var text = "&" + string.Concat(Enumerable.Repeat(part, (1 << 20) / part.Length));
        foreach (var cleaning in Enum.GetValues<ClipTextCleaning>())
        {
            var watch = Stopwatch.StartNew();
            InvariantMode.MayRefuse(() => Assert.NotEmpty(TinyVocabulary.Tokenizer(cleaning).Encode(text)));
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), $"{cleaning} took {watch.Elapsed}.");
        }
    }
}
