using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// The heuristic of ftfy 6.1.1 (MIT license, Robyn Speer) by which text betrays that it was misread: neighbors among the 400 characters
/// that misread UTF-8 consists of, which are hardly neighbors otherwise.
/// </summary>
internal static partial class MojibakeSigns
{
    // Classes of characters, for use in brackets. Those that are also written as they should be are in none of the others.
    private const string Common = @"\u00A0\u00AD\u00B4·–-―’…";
    private const string Controls = @"\x80-\x9F";
    private const string Odd = @"¤¦-\u00A8ª¬\u00AF¶\u00B8ºƒ\u02C6\u02C7\u02D8\u02DB\u02DC†‡‰⌐◊\uFFFD";
    private const string Currency = "¢£¥₧€";
    private const string Opening = @"¡©«¿\u0384\u0385‘‚“„•‹\uF8FF";
    private const string Closing = @"®»\u02DD”›™";
    private const string Numeric = "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥";
    private const string Faces = "°Ò-ÖÙ-Üò-öø-üŐ"; // letters that "kaomoji" are drawn with
    private const string Upper = "À-ÑØÜÝĂĄĆČĎĐĘĚĞİĹĽŁŃŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
    private const string Lower = "ß-ñüăąćčďđęěğĺľłœŕśşšťźżžґﬁﬂ";
    private const string UpperElsewhere = "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я"; // Greek and Cyrillic
    private const string LowerElsewhere = "ά-ωа-џ";
    private const string Box = "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓";

    private const string Any = Upper + Box + Opening + Closing + Currency + Numeric + Lower;

    // In UTF-8 misread as a European encoding: the first byte of sequences of two, three and four, and those that follow. The strict ones
    // do not stand for themselves in the neighborhood.
    private const string FirstOfTwo = "Â-ßĂĆČĎĐĘĚĞİĹŃŇŐŘŞŢŮŰΒ-ΡΣ-ίВ-Я";
    private const string FirstOfThree = "à-ïăćčďęěĺŕΰ-οа-п";
    private const string FirstOfFour = "ðóđğπσру";
    private const string StrictlyNext = @"\x80-¿ĄąĽľŁłŒœŚśŞ-šŤťŸ-žƒ\u02C6\u02C7\u02D8\u02DB-\u02DD\u0384-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†-•‰‹›€№™";
    private const string Next = StrictlyNext + " –-―‘-‚“-„…";

    public static bool In(string text) => Neighbors().IsMatch(text);

    /// <summary>Runs of what looks like misread sequences, unless the character before belongs to some garble, too.</summary>
    [GeneratedRegex($"(?<![{StrictlyNext}])(?:[{FirstOfTwo}][{Next}]|[{FirstOfThree}][{Next}]{{2}}|[{FirstOfFour}][{Next}]{{3}})+")]
    public static partial Regex Sequences();

    [GeneratedRegex($"[{Controls}]|[{Any}][{Odd}]|[{Odd}][{Any}{Odd}]|[a-zA-Z][{LowerElsewhere}{UpperElsewhere}][{Odd}]"
        + $"|[{Lower}{LowerElsewhere}{Box}{Closing}{Currency}{Numeric}][{Upper}]|[{Box}{Closing}{Currency}{Numeric}][{Lower}]"
        + $@"|[{Lower}{Box}{Closing}][{Currency}]|{Space}[{Upper}][{Currency}]|[{Upper}{Box}][{Numeric}]"
        + $"|[{Lower}{Upper}{Box}{Currency}{Closing}][{Opening}][{Numeric}]|[{Lower}{Upper}{Currency}{Numeric}{Box}][{Closing}][{Opening}]"
        + $"|[{Currency}{Numeric}{Box}][{Opening}]|[a-z][{Upper}][{Opening}{Currency}]|[{Box}][{Faces}{Closing}]"
        + $@"|[{Lower}{Upper}{Currency}{Numeric}{Opening}{Closing}][{Box}]|[{Lower}{Upper}][{Closing}][\p{{L}}\p{{N}}_]|[Œœ][^A-Za-z]"
        // Windows-1252: two characters, Arabic, South Asian.
        + $@"|[ÂÃÎÐ][€Šš¢£Ÿž\xA0\xAD®©°·»–—´{Opening}{Closing}]|×[²³]|(?:[ØÙ][{Common}{Currency}{Odd}{Numeric}{Opening}ŸŠ®°µ»]){{2}}|à[²µ¹¼½¾]"
        // Macintosh.
        + "|√[±∂†≠®™´≤≥¥µø]|≈[°¢]|‚Ä[ìîïòôúùû†°¢π]|‚[âó][àä°ê]"
        // Windows-1251: punctuation, Latin-1 or Cyrillic, and that once more.
        + $"|вЂ|[ВГРС][{Controls}{Odd}{Opening}{Closing}{Currency}°µ][ВГРС]|ГўВЂВ.[A-Za-z ]"
        // What begins with the byte C2 or C3, with the other one a space.
        + $@"|Ã[\xA0¡]|[a-z]{Space}?[ÃÂ] |^[ÃÂ] |[a-z.,?!{Closing}]Â[ {Opening}{Closing}]"
        // Windows-1253.
        + $@"|β€[™\xA0Ά\xAD®°]|[ΒΓΞΟ][{Controls}{Odd}{Opening}{Closing}{Currency}°][ΒΓΞΟ]")]
    private static partial Regex Neighbors();

    /// <summary>White space as Python has it.</summary>
    private const string Space = @"[\s\x1C-\x1F]";
}
