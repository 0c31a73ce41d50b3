using System.Buffers.Binary;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Text;

/// <summary>Reads a Protocol Buffers message field by field. A value of another type than expected, or a truncated one, is a <see cref="CheckpointException"/>.</summary>
/// <param name="message">The message's bytes.</param>
/// <param name="source">Its name in error messages.</param>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string source)
{
    private const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;

    private ReadOnlySpan<byte> _rest = message;
    private int _kind;

    /// <summary>Moves to the next field, whose value must then be read or skipped.</summary>
    public bool Next(out int field)
    {
        field = 0;
        if (_rest.IsEmpty)
            return false;
        var tag = ReadVarint();
        (field, _kind) = ((int)(tag >> 3), (int)(tag & 7));
        return true;
    }

    public int ReadInt32() => (int)ReadNumber();

    public bool ReadBool() => ReadNumber() != 0;

    public float ReadSingle() => _kind == Fixed32 ? BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float))) : throw Damaged();

    public ReadOnlySpan<byte> ReadBytes() => _kind == Bytes ? Take(ReadVarint()) : throw Damaged();

    public string ReadString() => Utf8Text.DecodeUtf8(ReadBytes(), source);

    public void Skip()
    {
        switch (_kind)
        {
            case Varint:
                ReadVarint();
                break;
            case Fixed64:
                Take(sizeof(ulong));
                break;
            case Bytes:
                Take(ReadVarint());
                break;
            case Fixed32:
                Take(sizeof(uint));
                break;
            default:
                throw Damaged();
        }
    }

    private ulong ReadNumber() => _kind == Varint ? ReadVarint() : throw Damaged();

    private ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw Damaged();
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length)
            throw Damaged();
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private readonly CheckpointException Damaged() => new($"{source} is damaged, or not a SentencePiece model.");
}
