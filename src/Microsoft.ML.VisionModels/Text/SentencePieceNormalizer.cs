using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Normalizes a text as SentencePiece does before it splits it: maps characters, removes extra spaces, and marks spaces.</summary>
internal sealed class SentencePieceNormalizer
{
    /// <summary>The character that stands for a space.</summary>
    public const char SpaceMark = '\u2581';

    private readonly SentencePieceModel _model;
    private readonly PrefixTrie _userDefined;
    private readonly CharacterMap? _characters;
    private readonly char _space;

    public SentencePieceNormalizer(SentencePieceModel model, PrefixTrie userDefined, string source)
    {
        (_model, _userDefined) = (model, userDefined);
        _characters = model.CharacterMap.Length > 0 ? new(model.CharacterMap, source) : null;
        _space = model.EscapeSpaces ? SpaceMark : ' ';
    }

    /// <param name="text">The text, without lone surrogates.</param>
    public string Normalize(string text)
    {
        var start = 0;
        if (_model.RemoveExtraSpaces)
        {
            while (start < text.Length && Next(text.AsSpan(start), out var length) == " ")
                start += length;
        }
        if (start == text.Length)
            return "";

        var result = new StringBuilder(text.Length + 1);
        if (_model.DummyPrefix && !_model.SpaceAsSuffix)
            result.Append(_space);
        var afterSpace = _model.RemoveExtraSpaces;
        while (start < text.Length)
        {
            var next = Next(text.AsSpan(start), out var length);
            start += length;
            if (afterSpace)
                next = next.TrimStart(' ');
            if (next.Length == 0)
                continue;
            afterSpace = _model.RemoveExtraSpaces && next[^1] == ' ';
            result.Append(next).Replace(' ', _space, result.Length - next.Length, next.Length);
        }
        if (_model.RemoveExtraSpaces)
        {
            while (result.Length > 0 && result[^1] == _space)
                result.Length--;
        }
        if (_model.DummyPrefix && _model.SpaceAsSuffix)
            result.Append(_space);
        return result.ToString();
    }

    /// <summary>The normalized start of a text: a user-defined piece as it is, else what the longest mapped sequence of characters is mapped to.</summary>
    private string Next(ReadOnlySpan<char> text, out int length)
    {
        (length, _) = _userDefined.Longest(text);
        if (length == 0 && _characters?.Longest(text, out length) is { } normalized)
            return normalized;
        if (length == 0)
            length = char.IsHighSurrogate(text[0]) ? 2 : 1;
        return text[..length].ToString();
    }
}

/// <summary>
/// The map of characters that SentencePiece compiles (<c>precompiled_charsmap</c>). It consists of the length of a trie in bytes, the trie over
/// UTF-8 as a double array (darts-clone), and the texts that the values of the trie point to, each with a zero at its end.
/// </summary>
internal sealed class CharacterMap
{
    private readonly string _source;
    private readonly uint[] _units;
    private readonly byte[] _texts;

    /// <exception cref="CheckpointException">The map is damaged.</exception>
    public CharacterMap(ReadOnlySpan<byte> compiled, string source)
    {
        _source = source;
        var length = compiled.Length > sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(compiled) : 0;
        if (length == 0 || length % sizeof(uint) != 0 || length >= compiled.Length - sizeof(uint))
            throw Damaged();
        var trie = compiled.Slice(sizeof(uint), (int)length);
        _units = new uint[length / sizeof(uint)];
        for (var i = 0; i < _units.Length; i++)
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(trie[(i * sizeof(uint))..]);
        _texts = compiled[(sizeof(uint) + (int)length)..].ToArray();
    }

    /// <summary>What the longest mapped start of a text is mapped to; null where no start is mapped.</summary>
    /// <param name="text">The text, without lone surrogates.</param>
    /// <param name="length">The length of that start.</param>
    public string? Longest(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        var (found, read) = (-1L, 0);
        Span<byte> bytes = stackalloc byte[4];
        var node = Offset(Unit(0));
        foreach (var rune in text.EnumerateRunes())
        {
            read += rune.Utf16SequenceLength;
            foreach (var value in bytes[..rune.EncodeToUtf8(bytes)])
            {
                node ^= value;
                var unit = Unit(node);
                if (Label(unit) != value)
                    return found < 0 ? null : TextAt(found);
                node ^= Offset(unit);
                if (HasValue(unit))
                    (found, length) = (Value(Unit(node)), read);
            }
        }
        return found < 0 ? null : TextAt(found);
    }

    private string TextAt(long start)
    {
        if (start >= _texts.Length)
            throw Damaged();
        var text = _texts.AsSpan((int)start);
        return Encoding.UTF8.GetString(text.IndexOf((byte)0) is >= 0 and var end ? text[..end] : text);
    }

    private uint Unit(uint index) => index < _units.Length ? _units[index] : throw Damaged();

    // The bits of a unit: 0-7 the label (units with bit 31 are values and have no label), 8 whether the node has a value, 9 whether the
    // offset is shifted, 10-30 the offset.
    private static uint Label(uint unit) => unit & 0x8000_00FF;

    private static bool HasValue(uint unit) => (unit & 0x100) != 0;

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 0x200) >> 6);

    private static uint Value(uint unit) => unit & 0x7FFF_FFFF;

    private CheckpointException Damaged() => new($"{_source} is damaged: its table of characters is broken.");
}
