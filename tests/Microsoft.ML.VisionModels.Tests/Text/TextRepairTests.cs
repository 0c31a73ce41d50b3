using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>The expected texts are what ftfy 6.1.1 and Python 3.11 give.</summary>
public class TextRepairTests
{
    [Theory]
    [InlineData("na\u00C3\u00AFve \u00E2\u20AC\u0153caf\u00C3\u00A9\u00E2\u20AC\u009D\u00E2\u20AC\u00A6", "naïve \"café\"…")]              // Windows-1252
    [InlineData("Gr\u00C3\u0192\u00C2\u00B6\u00C3\u0192\u00C5\u00B8e", "Größe")]                                                           // twice
    [InlineData("\u00C3\u0192\u00C2\u00A2\u00C3\u00A2\u00E2\u20AC\u0161\u00C2\u00AC\u00C3\u00A2\u00E2\u201A\u00AC\u00C5\u201C \u00C3\u0192\u00C6\u2019\u00C3\u201A\u00C2\u00A9", "– é")] // three times
    [InlineData("fa\u00C3\u00A7ade \u00C2\u00A35", "façade £5")]                                                                           // Latin-1
    [InlineData("\u0420\u0454\u0420\u0455\u0421\u20AC\u0420\u0454\u0420\u00B0", "кошка")]                                                  // Windows-1251
    [InlineData("\u0139\u013Elu\u0139\u0104ou\u00C4\u0164k\u0102\u02DD k\u0139\u017B\u0139\u0088", "žluťoučký kůň")]                       // Windows-1250
    [InlineData("\u039E\u00B3\u039E\u00AC\u039F\u201E\u039E\u00B1", "γάτα")]                                                               // Windows-1253
    [InlineData("k\u00C4\u00B1rm\u00C4\u00B1z\u00C4\u00B1 \u00C3\u00A7i\u00C3\u00A7ek", "kırmızı çiçek")]                                  // Windows-1254
    [InlineData("smutn\u0102\u02DD k\u0102\u00B4\u0139\u0088", "smutný kôň")]                                                              // Latin-2
    [InlineData("d\u221A\u00A9j\u221A\u2020 vu", "déjà vu")]                                                                               // Macintosh
    [InlineData("voil\u00C3  une tour", "voilà une tour")]                                                                                 // a space for the byte A0
    [InlineData("moules \u00C3 la cr\u00C3\u00A8me", "moules à la crème")]
    [InlineData("vou \u00C3 s compras", "vou às compras")]
    [InlineData("\u00E2\u20AC\u0153so\u00E2\u20AC\uFFFD", "\"so\uFFFD")]                                                                   // lost bytes
    [InlineData("d\u00C3?j\u00C3  vu", "d\uFFFDjà vu")]
    [InlineData("cat \u00ED\u00A0\u00BD\u00ED\u00B8\u00BA", "cat \U0001F63A")]                                                             // CESU-8
    [InlineData("caf\u00C3\u00A9 \u00C0\u0080.", "café .")]
    [InlineData("Ελλάδα, or Gr\u00C3\u00A8ce in French", "Ελλάδα, or Grèce in French")]                                                    // a part
    [InlineData("caf&Atilde;&copy;", "café")]
    [InlineData("the \u0093dog\u0094 \u0081", "the \"dog\" \u0081")]
    [InlineData("┒(⌣˛⌣)┎ Ó_Ò", "┒(⌣˛⌣)┎ Ó_Ò")]                                                                                            // nothing misread
    [InlineData("AÑO 2020, Å and £100", "AÑO 2020, Å and £100")]
    public void MisreadTextIsUndone(string text, string expected) => InvariantMode.MayRefuse(() => Assert.Equal(expected, TextRepair.Fix(text)));

    [Theory]
    [InlineData("caf&eacute; &amp; bar &#8364;5 &hearts;", "café & bar €5 ♥")]
    [InlineData("&amp;amp;eacute;", "é")]
    [InlineData("P&EACUTE;REZ STRA&SZLIG;E &Ntilde;&nTILDE;", "PÉREZ STRASSE Ñ&nTILDE;")]
    [InlineData("AT&amp T, a&not b", "AT&amp T, a&not b")]
    [InlineData("<b>caf&eacute;</b>", "<b>caf&eacute;</b>")]
    [InlineData("a&eacute;\n<i>&eacute;\n&eacute;", "aé\n<i>&eacute;\n&eacute;")]
    [InlineData("&#59; &#12ab; &#xD800; &#0; &#150;", "&#59; &#12ab; \uFFFD \uFFFD –")]
    [InlineData("ﬁve ﬂuﬃest ﬅ ĲS Ǆ ŉ", "five fluffiest ſt IJS DŽ 'n")]
    [InlineData("ＣＡＴ\u3000１２％ ﾈｺ ｶﾞ", "CAT 12% ネコ ガ")]
    [InlineData("‘a’ ‛b‟ “c” ʼd", "'a' 'b\" \"c\" 'd")]
    [InlineData("a\r\nb\rc\u2028d\u2029e\u0085", "a\nb\nc\nd\ne…")]
    [InlineData("\u001B[1;31mred\u001B[0m", "red")]
    [InlineData("a\0b\u000Bc\u007Fd\uFEFFe\uFFFCf\u206Ag", "abcdefg")]
    [InlineData("a\tb\fc\u200Dd\u202Ee", "a\tb\fc\u200Dd\u202Ee")]
    [InlineData("cafe\u0301 \u1112\u1161\u11AB", "café 한")]
    [InlineData("", "")]
    public void OtherDamageIsRepaired(string text, string expected) => InvariantMode.MayRefuse(() => Assert.Equal(expected, TextRepair.Fix(text)));

    [Theory]
    [InlineData("&lt;b&gt;", "<b>")]
    [InlineData("&ltb", "<b")]
    [InlineData("&notit;", "¬it;")]
    [InlineData("&notin;", "∉")]
    [InlineData("&NOTIN;", "&NOTIN;")]
    [InlineData("&copycat &eacute &hearts", "©cat é &hearts")]
    [InlineData("&nosuch; &; a & b &", "&nosuch; &; a & b &")]
    [InlineData("&#65;&#x42;&#X43&#x;", "ABC&#x;")]
    [InlineData("&#0;&#xD83D;&#x110000;&#99999999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD")]
    [InlineData("&#150;&#x81;&#13;", "–\u0081\r")]
    [InlineData("a&#11;b&#xFFFE;c", "abc")]
    [InlineData("&fjlig;&NotEqualTilde;&CounterClockwiseContourIntegral;", "fj≂\u0338∳")]
    [InlineData("&amp;lt;", "&lt;")]
    public void ReferencesAreReadAsBrowsersDo(string text, string expected) => Assert.Equal(expected, HtmlText.Unescape(text));

    [Theory]
    [InlineData("ΟΔΥΣΣΕΥΣ ΟΔΟΣ", "οδυσσευς οδος")]
    [InlineData("ΑΣ. ΑΣ'Α Σ 1Σ ΑΣΣ", "ας. ασ'α σ 1σ ασς")]
    [InlineData("İI ẞ Ǆ K", "i\u0307i ß dž k")]
    public void LowerCaseIsPythons(string text, string expected) => InvariantMode.MayRefuse(() => Assert.Equal(expected, ClipTextCleaner.OpenAI(text)));
}
