using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>A vocabulary of a few words, for tests that need no published one.</summary>
internal static class TinyVocabulary
{
    private static readonly (string, string)[] Merges = [("c", "a"), ("ca", "t</w>"), ("d", "o"), ("do", "g</w>"), ("a", "a"), ("aa", "aa"), ("'", "s</w>")];

    public static ClipTokenizer Tokenizer(ClipTextCleaning cleaning = ClipTextCleaning.HuggingFace) => new(ClipVocabulary.FromMerges(Merges, "tiny"), cleaning);

    /// <summary>The tokens without the first and the last, as they are written in the vocabulary.</summary>
    public static string[] Pieces(this ClipTokenizer tokenizer, string text)
    {
        var ids = tokenizer.Encode(text);
        Assert.Equal((tokenizer.StartToken, tokenizer.EndToken), (ids[0], ids[^1]));
        var names = System.Text.Json.JsonDocument.Parse(tokenizer.ToTexts().Vocabulary).RootElement.EnumerateObject().ToDictionary(entry => entry.Value.GetInt32(), entry => entry.Name);
        return [.. ids[1..^1].Select(id => names[id])];
    }
}
