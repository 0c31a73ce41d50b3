using System.Globalization;
using System.Text.RegularExpressions;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// Replaces HTML's character references as the HTML standard has browsers do, and as Python's <c>html.unescape</c> does.
/// <see cref="System.Net.WebUtility.HtmlDecode(string)"/> would not do: it knows only the names of HTML 4, requires the semicolon, and keeps invalid numbers.
/// </summary>
internal static partial class HtmlText
{
    private const string Replacement = "\uFFFD";

    public static string Unescape(string text) =>
        text.Contains('&', StringComparison.Ordinal) ? Reference().Replace(text, match => Characters(match.ValueSpan[1..])) : text;

    /// <summary>Replaces only references that end in a semicolon, among them some names in capitals, as ftfy does: others may not be meant as references.</summary>
    public static string UnescapeUnambiguous(string text) =>
        text.Contains('&', StringComparison.Ordinal) ? WholeReference().Replace(text, match => UnescapeWhole(match.Value)) : text;

    private static string UnescapeWhole(string reference)
    {
        var name = reference.AsSpan(1);
        if (name[0] == '#')
        {
            var characters = Unescape(reference);
            return characters.Contains(';', StringComparison.Ordinal) ? reference : characters;
        }
        if (HtmlEntities.TryGet(name, out var known))
            return known;
        return name.ContainsAnyInRange('a', 'z') || !HtmlEntities.TryGet(reference[1..].ToLowerInvariant(), out var small) || Unescape(reference) != reference
            ? reference
            // Python's upper() changes these two, .NET's does not.
            : small.Replace("ß", "SS", StringComparison.Ordinal).Replace("ı", "I", StringComparison.Ordinal).ToUpperInvariant();
    }

    /// <param name="reference">The reference without the ampersand. It may end in a semicolon.</param>
    private static string Characters(ReadOnlySpan<char> reference)
    {
        if (reference[0] == '#')
        {
            var digits = reference[1..].TrimEnd(';');
            return digits[0] is 'x' or 'X' ? Character(digits[1..], NumberStyles.AllowHexSpecifier) : Character(digits, NumberStyles.None);
        }
        for (var length = reference.Length; length > 1; length--)
        {
            if (HtmlEntities.TryGet(reference[..length], out var characters))
                return string.Concat(characters, reference[length..]);
        }
        return $"&{reference}";
    }

    private static string Character(ReadOnlySpan<char> digits, NumberStyles style)
    {
        if (!uint.TryParse(digits, style, CultureInfo.InvariantCulture, out var code))
            return Replacement; // the number is larger than any character's
        return code switch
        {
            0 or (>= 0xD800 and <= 0xDFFF) or > 0x10FFFF => Replacement,
            >= 0x80 and <= 0x9F => $"{SingleByteEncoding.Windows1252.Decode((byte)code)}",
            (>= 1 and <= 8) or 0xB or (>= 0xE and <= 0x1F) or 0x7F or (>= 0xFDD0 and <= 0xFDEF) => "",
            _ when (code & 0xFFFE) == 0xFFFE => "",
            _ => char.ConvertFromUtf32((int)code),
        };
    }

    [GeneratedRegex(@"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")]
    private static partial Regex Reference();

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};")]
    private static partial Regex WholeReference();
}
