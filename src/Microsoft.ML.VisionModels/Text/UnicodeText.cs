using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Where .NET's text functions refuse what texts may hold.</summary>
internal static class UnicodeText
{
    private const char Noncharacter = '\uFFFE';

    /// <summary>U+FFFD for each half of a character of which the other half is missing.</summary>
    public static string ReplaceLoneSurrogates(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        var repaired = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            repaired.Append(rune.ToString());
        return repaired.ToString();
    }

    /// <summary>NFC. The text has no lone surrogates.</summary>
    public static string Normalize(string text) => text.Contains(Noncharacter)
        // string.Normalize refuses this one, with which nothing composes.
        ? string.Join(Noncharacter, text.Split(Noncharacter).Select(part => part.Normalize()))
        : text.Normalize();

    /// <summary>Character by character, as Unicode has it; .NET alone leaves the capital I with a dot as it is.</summary>
    public static string Lower(string text) => text.ToLowerInvariant().Replace("\u0130", "i\u0307", StringComparison.Ordinal);
}
