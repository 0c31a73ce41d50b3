using System.Buffers.Binary;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>The checksum of zip and PNG (ISO 3309), eight bytes at a time.</summary>
internal struct Crc32
{
    private const int Step = 8;

    // Row i says what a byte adds that i more bytes follow.
    private static readonly uint[][] s_tables = MakeTables();

    private uint _inverse;

    /// <summary>The checksum of the bytes so far.</summary>
    public readonly uint Value => _inverse ^ uint.MaxValue;

    /// <summary>The checksum of no bytes.</summary>
    public Crc32() => _inverse = uint.MaxValue;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        var (t0, t1, t2, t3) = (s_tables[0], s_tables[1], s_tables[2], s_tables[3]);
        var (t4, t5, t6, t7) = (s_tables[4], s_tables[5], s_tables[6], s_tables[7]);
        var crc = _inverse;
        for (; bytes.Length >= Step; bytes = bytes[Step..])
        {
            var (low, high) = (crc ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
            crc = t7[(byte)low] ^ t6[(byte)(low >> 8)] ^ t5[(byte)(low >> 16)] ^ t4[low >> 24]
                ^ t3[(byte)high] ^ t2[(byte)(high >> 8)] ^ t1[(byte)(high >> 16)] ^ t0[high >> 24];
        }
        foreach (var value in bytes)
            crc = t0[(byte)(crc ^ value)] ^ (crc >> 8);
        _inverse = crc;
    }

    private static uint[][] MakeTables()
    {
        var tables = new uint[Step][];
        for (var i = 0; i < Step; i++)
        {
            tables[i] = new uint[256];
            for (uint value = 0; value < 256; value++)
            {
                var crc = i == 0 ? value : tables[i - 1][value];
                for (var bit = 0; bit < 8; bit++)
                    crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
                tables[i][value] = crc;
            }
        }
        return tables;
    }
}

/// <summary>Reads a stream to its end and compares its checksum, so that what was damaged on its way is not taken for what was written.</summary>
/// <param name="stream">The stream, which is closed with this one.</param>
/// <param name="expected">The checksum that it should have.</param>
internal sealed class ChecksumStream(Stream stream, uint expected) : Stream
{
    private Crc32 _crc = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        var read = stream.Read(buffer);
        _crc.Add(buffer[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads what is left.</summary>
    /// <exception cref="InvalidDataException">The stream has another checksum.</exception>
    public void ReadToEnd()
    {
        var rest = new byte[1 << 16];
        while (Read(rest) > 0)
        {
        }
        if (_crc.Value != expected)
            throw new InvalidDataException($"its checksum is {_crc.Value:x8}, and should be {expected:x8}; it was damaged after it was written.");
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            stream.Dispose();
        base.Dispose(disposing);
    }
}
