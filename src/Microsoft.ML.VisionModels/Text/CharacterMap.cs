using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>
/// Which characters become which others, as SentencePiece compiles it (<c>precompiled_charsmap</c>): the length of a trie in bytes, the
/// trie over UTF-8 as a double array (darts-clone), and the texts that its values point to, each with a zero at its end.
/// </summary>
internal sealed class CharacterMap
{
    private readonly string _source;
    private readonly uint[] _units;
    private readonly byte[] _texts;

    /// <exception cref="CheckpointException">It is damaged.</exception>
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

    /// <summary>What the longest known start of a text becomes; null where none is known.</summary>
    /// <param name="text">The text, without lone surrogates.</param>
    /// <param name="length">How many characters that start has.</param>
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

    // A unit: the label in bits 0-7 (bit 31 marks values, which have none), whether a value follows in bit 8, how far the offset is
    // shifted in bit 9, the offset in bits 10-30.
    private static uint Label(uint unit) => unit & 0x8000_00FF;

    private static bool HasValue(uint unit) => (unit & 0x100) != 0;

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 0x200) >> 6);

    private static uint Value(uint unit) => unit & 0x7FFF_FFFF;

    private CheckpointException Damaged() => new($"{_source} is damaged: its table of characters is broken.");
}
