using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Tests.Text;

/// <summary>
/// .NET's globalization-invariant mode, in which .ci/run runs the tests of texts once more: a text gives the same tokens there, or is
/// refused with a sentence.
/// </summary>
internal static class InvariantMode
{
    public static readonly bool IsOn = Environment.GetEnvironmentVariable("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT") is "1" or "true";

    /// <summary>Does it; where the mode is on, it may end with a refusal.</summary>
    public static void MayRefuse(Action check)
    {
        try
        {
            check();
        }
        catch (PlatformNotSupportedException e) when (IsOn)
        {
            Assert.Contains("InvariantGlobalization", e.Message, StringComparison.Ordinal);
        }
    }
}

public class InvariantModeTests
{
    [Fact]
    public void TextsThatNeedNothingAreAnsweredAndOthersRefused()
    {
        foreach (var text in new[] { "a photo of a cat", "Grüße, élève", "Привет", "一只猫", "ねこ ネコ", "고양이", "a cat \U0001F408" })
            Assert.Equal(text, UnicodeText.Normalize(text));
        if (InvariantMode.IsOn)
            Assert.Throws<PlatformNotSupportedException>(() => UnicodeText.Normalize("e\u0301"));
        else
            Assert.Equal("é", UnicodeText.Normalize("e\u0301"));
    }

    /// <summary>What is let pass in the mode does not change where there is ICU, neither alone nor after what could take it in.</summary>
    [Fact]
    public void WhatIsLetPassNeverChanges()
    {
        Assert.SkipWhen(InvariantMode.IsOn, "There is nothing to compare with.");
        for (var code = 0; code <= 0x1FBFF; code++)
        {
            if (code is >= 0xD800 and <= 0xDFFF or 0xFFFE or 0xFFFF || !UnicodeText.IsNormal(char.ConvertFromUtf32(code)))
                continue;
            var one = char.ConvertFromUtf32(code);
            foreach (var before in new[] { "", "e", "か", "\u1100", "가", "И", "\u0300" })
                Assert.True((before + one).Normalize() == before + one, $"U+{code:X} after '{before}'");
        }
    }
}
