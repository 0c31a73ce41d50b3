using System.IO.Hashing;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>Reads a stream to its end and compares its checksum, so that what was damaged on its way is not taken for what was written.</summary>
/// <param name="stream">The stream, which is closed with this one.</param>
/// <param name="expected">The checksum that it should have.</param>
internal sealed class ChecksumStream(Stream stream, uint expected) : Stream
{
    private readonly Crc32 _crc = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        var read = stream.Read(buffer);
        _crc.Append(buffer[..read]);
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
        var found = _crc.GetCurrentHashAsUInt32();
        if (found != expected)
            throw new InvalidDataException($"its checksum is {found:x8}, and should be {expected:x8}; it was damaged after it was written.");
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
