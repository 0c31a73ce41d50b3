using System.Collections.Frozen;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Repairs texts whose UTF-8 was decoded with another encoding, once or several times, in whole or in part, as ftfy's <c>fix_encoding</c> does.</summary>
internal static partial class Mojibake
{
    public static string Undo(string text)
    {
        for (var next = Step(text); next != text; next = Step(text))
            text = next;
        return text;
    }

    /// <summary>Replaces C1 control characters, which hardly any text means, by the characters that Windows-1252 has in their places.</summary>
    public static string ReplaceControls(string text) => Controls().Replace(text, match => $"{SingleByteEncoding.Windows1252.Decode((byte)match.Value[0])}");

    private static string Step(string text)
    {
        if (Ascii.IsValid(text) || !MojibakeHeuristic.IsBad(text))
            return text;
        foreach (var encoding in SingleByteEncoding.All)
        {
            if (encoding.TryEncode(text) is { } bytes && TryDecode(bytes, encoding.IsSloppy) is { } decoded)
                return decoded;
        }
        // Otherwise parts of the text are repaired. A part must be shorter than the text, so that the recursion ends.
        var mended = MojibakeHeuristic.Sequences().Replace(text, match => match.Length < text.Length && MojibakeHeuristic.IsBad(match.Value) ? Undo(match.Value) : match.Value);
        return mended != text ? mended : ReplaceControls(text);
    }

    /// <summary>Decodes UTF-8, and repairs some common damage first; null where the result is not valid UTF-8.</summary>
    /// <param name="bytes">The bytes, each as the character with the same number.</param>
    /// <param name="sloppy">Whether the byte 1A stands for a byte that was lost.</param>
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

    /// <summary>The UTF-8 of a character whose two UTF-16 surrogates were each encoded as if they were characters (CESU-8).</summary>
    private static string JoinSurrogates(string bytes)
    {
        var pair = (ReadOnlySpan<char>)[Half(bytes, 0), Half(bytes, 3)];
        return Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(pair.ToString()));

        static char Half(string bytes, int start) => (char)((bytes[start] & 0x0F) << 12 | (bytes[start + 1] & 0x3F) << 6 | (bytes[start + 2] & 0x3F));
    }

    [GeneratedRegex(@"[\x80-\x9F]")]
    private static partial Regex Controls();

    /// <summary>The word "à", whose second byte became a space and was merged with the space after the word. The words "às" and "àquele" are excluded.</summary>
    [GeneratedRegex(@"\xC3 (?! |quel[ea]|quilo|s )")]
    private static partial Regex WordsOfAGrave();

    /// <summary>Sequences whose byte A0, a no-break space, became a plain space, as far as the result is a likely character.</summary>
    [GeneratedRegex(@"[\xC2\xC3\xC5\xCE\xD0\xD9] |[\xE2\xE3] [\x80-\x84\x86-\x9F\xA1-\xBF]|[\xE0-\xE3][\x80-\x84\x86-\x9F\xA1-\xBF] |\xF0(?: [\x80-\xBF]{2}|[\x80-\xBF] [\x80-\xBF]|[\x80-\xBF]{2} )")]
    private static partial Regex WithSpace();

    /// <summary>Sequences of which bytes were lost or replaced by a question mark.</summary>
    [GeneratedRegex(@"[\xC2-\xDF]\x1A|[\xC2\xC3]\?|\xED[\xA0-\xAF](?:[\x1A?]\xED[\xB0-\xBF][\x1A?\x80-\xBF]|[\x1A?\x80-\xBF]\xED[\xB0-\xBF][\x1A?])"
        + @"|[\xE0-\xEF](?:[\x1A?][\x1A\x80-\xBF]|[\x1A\x80-\xBF][\x1A?])"
        + @"|[\xF0-\xF4](?:[\x1A?][\x1A\x80-\xBF]{2}|[\x1A\x80-\xBF][\x1A?][\x1A\x80-\xBF]|[\x1A\x80-\xBF]{2}[\x1A?])|\x1A")]
    private static partial Regex WithLostBytes();

    /// <summary>Pairs of surrogates in CESU-8, and Java's encoding of the character 0.</summary>
    [GeneratedRegex(@"\xC0\x80|\xED[\xA0-\xAF][\x80-\xBF]\xED[\xB0-\xBF][\x80-\xBF]")]
    private static partial Regex Variants();
}

/// <summary>
/// The heuristic of ftfy 6.1.1 (ftfy/badness.py and chardata.py, MIT license, Robyn Speer) that detects mojibake. UTF-8 decoded with another
/// encoding consists of about 400 characters. The heuristic looks for neighbors among them that hardly ever occur in real text. The classes
/// of characters have ftfy's names.
/// </summary>
internal static partial class MojibakeHeuristic
{
    // Each constant is the inside of a regular expression's brackets. "Common" characters are frequent in real text, too.
    private const string Common = @"\u00A0\u00AD\u00B4·–-―’…";
    private const string C1 = @"\x80-\x9F";
    private const string Bad = @"¤¦-\u00A8ª¬\u00AF¶\u00B8ºƒ\u02C6\u02C7\u02D8\u02DB\u02DC†‡‰⌐◊\uFFFD";
    private const string Currency = "¢£¥₧€";
    private const string StartPunctuation = @"¡©«¿\u0384\u0385‘‚“„•‹\uF8FF";
    private const string EndPunctuation = @"®»\u02DD”›™";
    private const string Numeric = "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥";
    private const string Kaomoji = "°Ò-ÖÙ-Üò-öø-üŐ"; // letters that are used in kaomoji, faces drawn with characters
    private const string UpperAccented = "À-ÑØÜÝĂĄĆČĎĐĘĚĞİĹĽŁŃŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
    private const string LowerAccented = "ß-ñüăąćčďđęěğĺľłœŕśşšťźżžґﬁﬂ";
    private const string UpperCommon = "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я"; // Greek and Cyrillic
    private const string LowerCommon = "ά-ωа-џ";
    private const string Box = "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓";

    private const string Any = UpperAccented + Box + StartPunctuation + EndPunctuation + Currency + Numeric + LowerAccented;

    // The bytes of UTF-8 as characters of European encodings: the first byte of sequences of two, three and four bytes, and continuation
    // bytes. The strict ones leave out characters that are frequent in real text.
    private const string FirstOfTwo = "Â-ßĂĆČĎĐĘĚĞİĹŃŇŐŘŞŢŮŰΒ-ΡΣ-ίВ-Я";
    private const string FirstOfThree = "à-ïăćčďęěĺŕΰ-οа-п";
    private const string FirstOfFour = "ðóđğπσру";
    private const string StrictContinuation = @"\x80-¿ĄąĽľŁłŒœŚśŞ-šŤťŸ-žƒ\u02C6\u02C7\u02D8\u02DB-\u02DD\u0384-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†-•‰‹›€№™";
    private const string Continuation = StrictContinuation + " –-―‘-‚“-„…";

    public static bool IsBad(string text) => Neighbors().IsMatch(text);

    /// <summary>Runs of characters that may be misread UTF-8 sequences, unless a continuation byte comes before them.</summary>
    [GeneratedRegex($"(?<![{StrictContinuation}])(?:[{FirstOfTwo}][{Continuation}]|[{FirstOfThree}][{Continuation}]{{2}}|[{FirstOfFour}][{Continuation}]{{3}})+")]
    public static partial Regex Sequences();

    [GeneratedRegex($"[{C1}]|[{Any}][{Bad}]|[{Bad}][{Any}{Bad}]|[a-zA-Z][{LowerCommon}{UpperCommon}][{Bad}]"
        + $"|[{LowerAccented}{LowerCommon}{Box}{EndPunctuation}{Currency}{Numeric}][{UpperAccented}]|[{Box}{EndPunctuation}{Currency}{Numeric}][{LowerAccented}]"
        + $@"|[{LowerAccented}{Box}{EndPunctuation}][{Currency}]|{Space}[{UpperAccented}][{Currency}]|[{UpperAccented}{Box}][{Numeric}]"
        + $"|[{LowerAccented}{UpperAccented}{Box}{Currency}{EndPunctuation}][{StartPunctuation}][{Numeric}]|[{LowerAccented}{UpperAccented}{Currency}{Numeric}{Box}][{EndPunctuation}][{StartPunctuation}]"
        + $"|[{Currency}{Numeric}{Box}][{StartPunctuation}]|[a-z][{UpperAccented}][{StartPunctuation}{Currency}]|[{Box}][{Kaomoji}{EndPunctuation}]"
        + $@"|[{LowerAccented}{UpperAccented}{Currency}{Numeric}{StartPunctuation}{EndPunctuation}][{Box}]|[{LowerAccented}{UpperAccented}][{EndPunctuation}][\p{{L}}\p{{N}}_]|[Œœ][^A-Za-z]"
        // Windows-1252: two characters, Arabic, South Asian.
        + $@"|[ÂÃÎÐ][€Šš¢£Ÿž\xA0\xAD®©°·»–—´{StartPunctuation}{EndPunctuation}]|×[²³]|(?:[ØÙ][{Common}{Currency}{Bad}{Numeric}{StartPunctuation}ŸŠ®°µ»]){{2}}|à[²µ¹¼½¾]"
        // Macintosh.
        + "|√[±∂†≠®™´≤≥¥µø]|≈[°¢]|‚Ä[ìîïòôúùû†°¢π]|‚[âó][àä°ê]"
        // Windows-1251: punctuation, Latin-1 or Cyrillic, and that once more.
        + $"|вЂ|[ВГРС][{C1}{Bad}{StartPunctuation}{EndPunctuation}{Currency}°µ][ВГРС]|ГўВЂВ.[A-Za-z ]"
        // What begins with the byte C2 or C3, with the other one a space.
        + $@"|Ã[\xA0¡]|[a-z]{Space}?[ÃÂ] |^[ÃÂ] |[a-z.,?!{EndPunctuation}]Â[ {StartPunctuation}{EndPunctuation}]"
        // Windows-1253.
        + $@"|β€[™\xA0Ά\xAD®°]|[ΒΓΞΟ][{C1}{Bad}{StartPunctuation}{EndPunctuation}{Currency}°][ΒΓΞΟ]")]
    private static partial Regex Neighbors();

    /// <summary>White space as Python defines it.</summary>
    private const string Space = @"[\s\x1C-\x1F]";
}

/// <summary>
/// A single-byte encoding with which UTF-8 may have been decoded. In the "sloppy" ones, as ftfy calls them, bytes without a character stand
/// for control characters, as in browsers, and the byte 1A stands for a character that was already lost.
/// </summary>
internal sealed class SingleByteEncoding
{
    private const char Lost = '\uFFFD';
    private const char Substitute = '\u001A';

    private readonly char[] _characters;
    private readonly FrozenDictionary<char, char> _bytes;

    private SingleByteEncoding(int codePage, bool sloppy)
    {
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(codePage) ?? Encoding.GetEncoding(codePage);
        _characters = [.. Enumerable.Range(0, 256).Select(value => Character(encoding, (byte)value))];
        if (sloppy)
            _characters[Substitute] = Lost;
        _bytes = _characters.Select((character, value) => KeyValuePair.Create(character, (char)value)).ToFrozenDictionary();
        IsSloppy = sloppy;
    }

    public bool IsSloppy { get; }

    /// <summary>Windows-1252, Western European.</summary>
    public static SingleByteEncoding Windows1252 { get; } = new(1252, sloppy: true);

    /// <summary>The encodings in the order in which they are tried: Latin-1, those of Windows (Western, Cyrillic, Central European, Greek, Turkish), Latin-2, Macintosh, DOS.</summary>
    public static IReadOnlyList<SingleByteEncoding> All { get; } =
    [
        new(28591, sloppy: false),
        Windows1252,
        new(1251, sloppy: true),
        new(1250, sloppy: true),
        new(1253, sloppy: true),
        new(1254, sloppy: true),
        new(28592, sloppy: false),
        new(10000, sloppy: false),
        new(437, sloppy: false),
    ];

    public char Decode(byte value) => _characters[value];

    /// <summary>Encodes a text: its bytes, each as the character with the same number; null where the encoding lacks a character.</summary>
    public string? TryEncode(string text)
    {
        var bytes = new char[text.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!_bytes.TryGetValue(text[i], out bytes[i]))
                return null;
        }
        return new string(bytes);
    }

    private static char Character(Encoding encoding, byte value) => encoding.GetString([value])[0] switch
    {
        // Bytes that Windows-1253 leaves undefined; .NET gives them private-use characters.
        >= '\uF8F9' and <= '\uF8FB' => (char)value,
        // Macintosh's omega is the Greek letter here, not the ohm sign.
        '\u2126' => '\u03A9',
        var character => character,
    };
}
