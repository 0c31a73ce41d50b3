using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Undoes UTF-8 that was misread in another encoding, once or several times, wholly or in parts, as ftfy does.</summary>
internal static partial class Mojibake
{
    public static string Undo(string text)
    {
        for (var next = Step(text); next != text; next = Step(text))
            text = next;
        return text;
    }

    /// <summary>C1 control characters, which nobody wants, become what Windows has in their places.</summary>
    public static string ReplaceControls(string text) => Controls().Replace(text, match => $"{SingleByteEncoding.Windows1252.Decode((byte)match.Value[0])}");

    private static string Step(string text)
    {
        if (Ascii.IsValid(text) || !MojibakeSigns.In(text))
            return text;
        foreach (var encoding in SingleByteEncoding.All)
        {
            if (encoding.TryEncode(text) is { } bytes && TryDecode(bytes, encoding.IsSloppy) is { } decoded)
                return decoded;
        }
        // Parts only. The whole text is none of them, or this would never end.
        var mended = MojibakeSigns.Sequences().Replace(text, match => match.Length < text.Length && MojibakeSigns.In(match.Value) ? Undo(match.Value) : match.Value);
        return mended != text ? mended : ReplaceControls(text);
    }

    /// <summary>UTF-8, with what often happens to it on the way; null where it is none.</summary>
    /// <param name="bytes">Each as the character of the same number.</param>
    /// <param name="sloppy">Whether the byte 1A stands for lost ones.</param>
    private static string? TryDecode(string bytes, bool sloppy)
    {
        bytes = WordsOfAGrave().Replace(bytes, "\u00C3\u00A0 ");
        bytes = WithSpace().Replace(bytes, match => match.Value.Replace(' ', '\u00A0'));
        if (sloppy)
            bytes = WithLostBytes().Replace(bytes, "\u00EF\u00BF\u00BD"); // U+FFFD
        bytes = Variants().Replace(bytes, match => match.Length == 2 ? "\0" : JoinSurrogates(match.Value));
        var utf8 = Encoding.Latin1.GetBytes(bytes);
        return Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : null;
    }

    /// <summary>The UTF-8 of a character whose two UTF-16 halves were each written as if they were characters.</summary>
    private static string JoinSurrogates(string bytes)
    {
        var pair = (ReadOnlySpan<char>)[Half(bytes, 0), Half(bytes, 3)];
        return Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(pair.ToString()));

        static char Half(string bytes, int start) => (char)((bytes[start] & 0x0F) << 12 | (bytes[start + 1] & 0x3F) << 6 | (bytes[start + 2] & 0x3F));
    }

    [GeneratedRegex(@"[\x80-\x9F]")]
    private static partial Regex Controls();

    /// <summary>"à" as a word of its own, whose second byte became a space that fell together with the space behind; not so in "às" and "àquele".</summary>
    [GeneratedRegex(@"\xC3 (?! |quel[ea]|quilo|s )")]
    private static partial Regex WordsOfAGrave();

    /// <summary>Sequences of which the byte A0, a space that does not break, became a plain one; where the result is a likely character.</summary>
    [GeneratedRegex(@"[\xC2\xC3\xC5\xCE\xD0\xD9] |[\xE2\xE3] [\x80-\x84\x86-\x9F\xA1-\xBF]|[\xE0-\xE3][\x80-\x84\x86-\x9F\xA1-\xBF] |\xF0(?: [\x80-\xBF]{2}|[\x80-\xBF] [\x80-\xBF]|[\x80-\xBF]{2} )")]
    private static partial Regex WithSpace();

    /// <summary>Sequences of which bytes were lost, or one was replaced by a question mark.</summary>
    [GeneratedRegex(@"[\xC2-\xDF]\x1A|[\xC2\xC3]\?|\xED[\xA0-\xAF](?:[\x1A?]\xED[\xB0-\xBF][\x1A?\x80-\xBF]|[\x1A?\x80-\xBF]\xED[\xB0-\xBF][\x1A?])"
        + @"|[\xE0-\xEF](?:[\x1A?][\x1A\x80-\xBF]|[\x1A\x80-\xBF][\x1A?])"
        + @"|[\xF0-\xF4](?:[\x1A?][\x1A\x80-\xBF]{2}|[\x1A\x80-\xBF][\x1A?][\x1A\x80-\xBF]|[\x1A\x80-\xBF]{2}[\x1A?])|\x1A")]
    private static partial Regex WithLostBytes();

    /// <summary>CESU-8, and Java's way to write the character 0.</summary>
    [GeneratedRegex(@"\xC0\x80|\xED[\xA0-\xAF][\x80-\xBF]\xED[\xB0-\xBF][\x80-\xBF]")]
    private static partial Regex Variants();
}
