using System.Collections.Frozen;
using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// A code page through which UTF-8 may have been misread. The sloppy ones give a control character to bytes that have no other, as
/// browsers do, and the byte 1A stands for what has already been lost.
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

    /// <summary>Windows' Western European.</summary>
    public static SingleByteEncoding Windows1252 { get; } = new(1252, sloppy: true);

    /// <summary>In the order in which they are tried: Latin-1, Windows' own (Western, Cyrillic, Central European, Greek, Turkish), Latin-2, Macintosh, DOS.</summary>
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

    /// <summary>The bytes, each as the character of the same number; null where a character is not of this encoding.</summary>
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
        // Places that Windows-1253 leaves empty.
        >= '\uF8F9' and <= '\uF8FB' => (char)value,
        // The Macintosh's omega is the letter, not the unit.
        '\u2126' => '\u03A9',
        var character => character,
    };
}
