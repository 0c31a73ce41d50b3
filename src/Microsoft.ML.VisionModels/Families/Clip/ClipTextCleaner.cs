using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// Prepares texts as <see cref="ClipTextCleaning"/> says. White space is left as it is: it parts words, of whatever kind it is and
/// however much of it.
/// </summary>
internal static partial class ClipTextCleaner
{
    public static string HuggingFace(string text) => UnicodeText.Lower(UnicodeText.Normalize(UnicodeText.ReplaceLoneSurrogates(text)));

    /// <param name="text">The text.</param>
    /// <param name="repair">Without the repair by ftfy it is OpenAI's way, too, as some ports have it.</param>
    public static string OpenAI(string text, bool repair = true)
    {
        var repaired = repair ? TextRepair.Fix(text) : UnicodeText.ReplaceLoneSurrogates(text);
        return UnicodeText.Lower(FinalSigma().Replace(HtmlText.Unescape(HtmlText.Unescape(repaired)), "ς"));
    }

    /// <summary>
    /// A capital sigma at the end of a word, which Python lowers in its own way (the Unicode standard, 3.13, Final_Sigma): after a letter
    /// with case, and not before one, whatever of no account lies between. Letters beyond U+FFFF are not seen.
    /// </summary>
    [GeneratedRegex($"(?<={Cased}{Ignorable}*)Σ(?!{Ignorable}*{Cased})")]
    private static partial Regex FinalSigma();

    private const string Cased = @"[\p{Lu}\p{Ll}\p{Lt}ªº\u2160-\u217F\u24B6-\u24E9]";
    private const string Ignorable = @"[\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A]";
}
