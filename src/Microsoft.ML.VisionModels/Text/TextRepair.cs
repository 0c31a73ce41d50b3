using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// Repairs a text as <c>fix_text</c> of ftfy 6.1.1 does with its default settings, line by line: HTML's character references (until a
/// "&lt;" suggests that the text is HTML), mojibake, C1 control characters, Latin ligatures, full-width and half-width forms, curly quotes, line
/// breaks, lone surrogates, terminal escapes, control characters, and normalization to NFC.
/// </summary>
/// <remarks>
/// Three things differ: a line is not split after a million characters, it is repaired at most <see cref="MaxRounds"/> times, and ligatures
/// written as references in capitals (&amp;FILIG;) become lowercase letters.
/// </remarks>
internal static partial class TextRepair
{
    /// <summary>Each round resolves one level of nested references such as "&amp;amp;amp;". A hostile text could have any number of levels.</summary>
    private const int MaxRounds = 100;

    /// <summary>The ASCII characters that no step changes.</summary>
    private static readonly SearchValues<char> s_unchanged = SearchValues.Create([.. Enumerable.Range(' ', 0x7F - ' ').Select(code => (char)code).Where(c => c != '&'), '\t', '\n', '\f']);

    public static string Fix(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(s_unchanged))
            return text;

        var repaired = new StringBuilder(text.Length);
        var unescape = true;
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start) + 1;
            var line = end == 0 ? text[start..] : text[start..end];
            unescape &= !line.Contains('<', StringComparison.Ordinal);
            repaired.Append(FixLine(line, unescape));
            start += line.Length;
        }
        return repaired.ToString();
    }

    private static string FixLine(string line, bool unescape)
    {
        for (var round = 0; round < MaxRounds; round++)
        {
            var before = line;
            line = unescape ? HtmlText.UnescapeUnambiguous(line) : line;
            line = Mojibake.ReplaceControls(Mojibake.Undo(line));
            line = CompatibilityForms().Replace(line, match => match.Value == "ﬅ" ? "ſt" : UnicodeText.Normalize(match.Value, NormalizationForm.FormKC));
            line = DoubleQuotes().Replace(line, "\"");
            line = SingleQuotes().Replace(line, "'");
            line = LineBreaks().Replace(line, "\n");
            line = UnicodeText.ReplaceLoneSurrogates(line);
            line = TerminalEscapes().Replace(line, "");
            line = ControlCharacters().Replace(line, "");
            line = UnicodeText.Normalize(line);
            if (line == before)
                break;
        }
        return line;
    }

    /// <summary>Ligatures and digraphs of Latin letters, full-width and half-width forms, and the ideographic space.</summary>
    [GeneratedRegex(@"[ĲĳŉǄ-ǌǱ-ǳﬀ-ﬆ\u3000\uFF01-\uFFEF]")]
    private static partial Regex CompatibilityForms();

    [GeneratedRegex(@"[\u201C-\u201F]")]
    private static partial Regex DoubleQuotes();

    [GeneratedRegex(@"[\u02BC\u2018-\u201B]")]
    private static partial Regex SingleQuotes();

    [GeneratedRegex(@"\r\n|[\r\u2028\u2029\u0085]")]
    private static partial Regex LineBreaks();

    [GeneratedRegex(@"\x1B\[[\d;]*[a-zA-Z]")]
    private static partial Regex TerminalEscapes();

    /// <summary>Includes deprecated Arabic format characters, those of annotations, the object replacement character, and the byte order mark.</summary>
    [GeneratedRegex(@"[\x00-\x08\x0B\x0E-\x1F\x7F\u206A-\u206F\uFEFF\uFFF9-\uFFFC]")]
    private static partial Regex ControlCharacters();
}

/// <summary>Functions of Unicode that .NET does not have for every text.</summary>
internal static class UnicodeText
{
    private const char Noncharacter = '\uFFFE';

    // .NET leaves normalization to ICU. Without it a text comes back as it was, and nothing tells.
    private static readonly bool s_normalizes = "e\u0301".Normalize().Length == 1;

    /// <summary>
    /// Parts of Unicode in which nothing changes in NFC, whatever stands before it: Latin, Greek, Cyrillic, punctuation, currencies, kana without their
    /// marks, Chinese characters, Hangul's syllables, and what surrogates from U+1F000 on stand for, emoji above all.
    /// </summary>
    private static readonly SearchValues<char> s_normal = SearchValues.Create(string.Concat(
        Range('\0', '\u02FF'), Range('\u0388', '\u0482'), Range('\u2010', '\u2027'), Range('\u20A0', '\u20C0'), Range('\u3000', '\u3029'), Range('\u3041', '\u3096'),
        Range('\u30A0', '\u30FA'), Range('\u3400', '\u9FFF'), Range('\uAC00', '\uD7A3'), Range('\uD83C', '\uD83E'), Range('\uDC00', '\uDFFF'), Range('\uFFFC', '\uFFFE')));

    /// <summary>Replaces each surrogate without its other half by U+FFFD.</summary>
    public static string ReplaceLoneSurrogates(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        var repaired = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            repaired.Append(rune.ToString());
        return repaired.ToString();
    }

    /// <summary>Normalizes a text, which must not have lone surrogates.</summary>
    /// <exception cref="PlatformNotSupportedException">The app runs in globalization-invariant mode, and the text may change.</exception>
    public static string Normalize(string text, NormalizationForm form = NormalizationForm.FormC)
    {
        if (!s_normalizes)
            return form == NormalizationForm.FormC && IsNormal(text) ? text : throw NotNormalized(text);
        return text.Contains(Noncharacter)
            // string.Normalize throws for this character. It never combines with others, so the text can be split at it.
            ? string.Join(Noncharacter, text.Split(Noncharacter).Select(part => part.Normalize(form)))
            : text.Normalize(form);
    }

    /// <summary>Whether a text consists of what never changes in NFC; many that do not change either are none of these.</summary>
    public static bool IsNormal(string text) => !text.AsSpan().ContainsAnyExcept(s_normal);

    /// <summary>Lowercase by Unicode's rules. ToLowerInvariant alone would keep the capital I with a dot.</summary>
    public static string Lower(string text) => text.ToLowerInvariant().Replace("\u0130", "i\u0307", StringComparison.Ordinal);

    private static string Range(char first, char last) => string.Concat(Enumerable.Range(first, last - first + 1).Select(code => (char)code));

    private static PlatformNotSupportedException NotNormalized(string text) => new(
        $"The text '{(text.Length > 100 ? text[..100] + "..." : text)}' needs Unicode normalization, which .NET does without in its globalization-invariant mode: "
        + "set InvariantGlobalization to false (and DOTNET_SYSTEM_GLOBALIZATION_INVARIANT to 0), and install libicu.");
}
