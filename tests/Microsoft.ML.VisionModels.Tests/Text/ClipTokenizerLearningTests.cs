using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Tests.Text;

public class ClipTokenizerLearningTests
{
    // The example of arXiv 1508.07909: five times low, and so on.
    private static readonly string[] Texts =
    [
        "low low Low LOW low", "lower lower", "newest newest newest newest newest newest", "widest widest widest",
    ];

    [Fact]
    public void TheMostFrequentPairComesFirst()
    {
        // By hand: "e s" and "s t" 9 times, "w e" 8, which only 2 are left of then; "l o" 7; "e w", "n e" and "w est" 6.
        var tokenizer = ClipTokenizer.Learn(Texts, 514 + 6);
        Assert.Equal(["e s", "es t</w>", "l o", "e w", "ew est</w>", "n ewest</w>"], Merges(tokenizer));
        Assert.Equal(["newest</w>", "l</w>", "o", "w</w>"], tokenizer.Pieces("newest l ow"));
    }

    [Fact]
    public void EqualsTheDefinition()
    {
        var random = new Random(5);
        var texts = Enumerable.Range(0, 60).Select(_ => string.Join(' ', Enumerable.Range(0, 8).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abcé"[random.Next(4)]))))).ToArray();
        var merges = Merges(ClipTokenizer.Learn(texts, 514 + 120));
        Assert.True(merges.Length >= 120);
        Assert.Equal(ByDefinition(texts, merges.Length), merges);
        Assert.Equal(merges, Merges(ClipTokenizer.Learn(texts, 514 + 120)));
    }

    [Fact]
    public void EndsWhenNoPairOccursTwice()
    {
        var tokenizer = ClipTokenizer.Learn(["ab ab xy"], 1000);
        Assert.Equal(["a b</w>"], Merges(tokenizer));
        Assert.Equal(515, tokenizer.VocabularySize);
        Assert.Equal((513, 514), (tokenizer.StartToken, tokenizer.EndToken));
    }

    [Fact]
    public void CleansFirstAndLeavesSpecialTokensOut()
    {
        Assert.Equal(["a b</w>"], Merges(ClipTokenizer.Learn(["<|startoftext|>AB<|endoftext|>", "ab<|endoftext|>"], 1000)));
        InvariantMode.MayRefuse(() => Assert.Equal(["a b</w>"], Merges(ClipTokenizer.Learn(["ａｂ", "ab"], 1000, ClipTextCleaning.OpenAI))));
        InvariantMode.MayRefuse(() => Assert.Empty(Merges(ClipTokenizer.Learn(["ａb", "ab"], 1000))));
    }

    [Fact]
    public void ArgumentsAreChecked()
    {
        Assert.Throws<ArgumentNullException>(() => ClipTokenizer.Learn(null!, 600));
        Assert.Throws<ArgumentNullException>(() => ClipTokenizer.Learn(["a", null!], 600));
        Assert.Throws<ArgumentOutOfRangeException>(() => ClipTokenizer.Learn(["a"], 513));
    }

    private static string[] Merges(ClipTokenizer tokenizer) => tokenizer.ToTexts().Merges.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];

    /// <summary>Counts all pairs anew for each merge.</summary>
    private static IEnumerable<string> ByDefinition(string[] texts, int count)
    {
        var words = texts.SelectMany(text => text.Split(' ')).Select(word =>
        {
            var symbols = System.Text.Encoding.UTF8.GetBytes(word).Select(value => $"{ByteSymbols.All[value]}").ToList();
            symbols[^1] += "</w>";
            return symbols;
        }).ToList();
        for (var merge = 0; merge < count; merge++)
        {
            var (left, right) = words.SelectMany(word => word.Zip(word.Skip(1))).GroupBy(pair => pair).OrderByDescending(group => group.Count())
                .ThenBy(group => group.Key.First, StringComparer.Ordinal).ThenBy(group => group.Key.Second, StringComparer.Ordinal).First().Key;
            foreach (var word in words)
            {
                for (var i = 0; i < word.Count - 1; i++)
                {
                    if ((word[i], word[i + 1]) == (left, right))
                    {
                        word[i] += right;
                        word.RemoveAt(i + 1);
                    }
                }
            }
            yield return $"{left} {right}";
        }
    }
}
