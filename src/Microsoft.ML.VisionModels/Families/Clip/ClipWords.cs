using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// Cuts cleaned text into words: English contractions, runs of letters, single digits, and runs of anything else but white space.
/// By Unicode scalar values, for which .NET's expressions, which know UTF-16 alone, would not do.
/// </summary>
internal static partial class ClipWords
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }

    /// <summary>The words of a text, which is cleaned first. The start and the end token, written in the text, are words too.</summary>
    public static IEnumerable<ReadOnlyMemory<char>> Split(string text, ClipTextCleaning cleaning) =>
        cleaning == ClipTextCleaning.OpenAI ? SplitCleaned(ClipTextCleaner.OpenAI(text), special: true) : SplitAroundSpecialTokens(text);

    /// <summary>The words of a text that has been cleaned.</summary>
    /// <param name="text">The text.</param>
    /// <param name="special">Whether the start and the end token, written in the text, are words.</param>
    public static IEnumerable<ReadOnlyMemory<char>> SplitCleaned(string text, bool special)
    {
        for (var start = 0; start < text.Length;)
        {
            var kind = At(text, start, out var length);
            length = FixedWord(text, start, special) is > 0 and var whole ? whole
                : kind is Kind.Letter or Kind.Other ? RunLength(text, start, kind)
                : length;
            if (kind != Kind.Space)
                yield return text.AsMemory(start, length);
            start += length;
        }
    }

    /// <summary>Hugging Face looks for them before it cleans what is between them.</summary>
    private static IEnumerable<ReadOnlyMemory<char>> SplitAroundSpecialTokens(string text)
    {
        var start = 0;
        for (var token = SpecialToken().Match(text); token.Success; token = token.NextMatch())
        {
            foreach (var word in SplitCleaned(ClipTextCleaner.HuggingFace(text[start..token.Index]), special: false))
                yield return word;
            yield return text.AsMemory(token.Index, token.Length);
            start = token.Index + token.Length;
        }
        foreach (var word in SplitCleaned(ClipTextCleaner.HuggingFace(text[start..]), special: false))
            yield return word;
    }

    private static int FixedWord(string text, int start, bool special)
    {
        if (text[start] == '\'')
            return LengthOfOne(Contractions, text, start);
        return special && text[start] == '<' ? LengthOfOne(ClipVocabulary.SpecialTokens, text, start) : 0;
    }

    /// <summary>Of the first that the text goes on with; 0 if that is none.</summary>
    private static int LengthOfOne(string[] words, string text, int start) =>
        Array.Find(words, word => text.AsSpan(start).StartsWith(word, StringComparison.Ordinal))?.Length ?? 0;

    private static int RunLength(string text, int start, Kind kind)
    {
        var end = start;
        while (end < text.Length && At(text, end, out var length) == kind)
            end += length;
        return end - start;
    }

    private static Kind At(string text, int position, out int length)
    {
        Rune.DecodeFromUtf16(text.AsSpan(position), out var rune, out length);
        if (Rune.IsWhiteSpace(rune))
            return Kind.Space;
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            >= UnicodeCategory.DecimalDigitNumber and <= UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
    }

    [GeneratedRegex(@"<\|startoftext\|>|<\|endoftext\|>")]
    private static partial Regex SpecialToken();
}
