using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// What ftfy 6.1.1's <c>fix_text</c> does with its default settings, line by line: character references (until a "&lt;" suggests that the text
/// is HTML), misread encodings, C1 control characters, Latin ligatures, full-width and half-width forms, curly quotes, line breaks, lone
/// surrogates, terminal escapes, control characters, and NFC.
/// </summary>
/// <remarks>
/// Where it differs: a line is not cut at a million characters, it is not gone over more than <see cref="MostRounds"/> times, and
/// ligatures written as entities in capitals (&amp;FILIG;) become small letters.
/// </remarks>
internal static partial class TextRepair
{
    /// <summary>Each resolves one level of nesting, as of "&amp;amp;amp;", which a text can hold as many of as it has room for.</summary>
    private const int MostRounds = 100;

    /// <summary>ASCII but for what a step below changes.</summary>
    private static readonly SearchValues<char> Sound = SearchValues.Create([.. Enumerable.Range(' ', 0x7F - ' ').Select(code => (char)code).Where(c => c != '&'), '\t', '\n', '\f']);

    public static string Fix(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Sound))
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
        for (var round = 0; round < MostRounds; round++)
        {
            var before = line;
            line = unescape ? HtmlText.UnescapeUnambiguous(line) : line;
            line = Mojibake.ReplaceControls(Mojibake.Undo(line));
            line = CompatibilityForms().Replace(line, match => match.Value == "ﬅ" ? "ſt" : match.Value.Normalize(NormalizationForm.FormKC));
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

    /// <summary>Ligatures and digraphs of Latin letters; full-width and half-width forms, and their space.</summary>
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

    /// <summary>With deprecated ones of Arabic, those of annotations, the stand-in for objects, and the byte order mark.</summary>
    [GeneratedRegex(@"[\x00-\x08\x0B\x0E-\x1F\x7F\u206A-\u206F\uFEFF\uFFF9-\uFFFC]")]
    private static partial Regex ControlCharacters();
}
