namespace Microsoft.ML.VisionModels.Core;

/// <summary>Reading of what a file claims to hold, at the cost of what it holds.</summary>
internal static class StreamReading
{
    private const int FirstStep = 1 << 16;

    /// <summary>Reads so many bytes. The memory taken grows with what is there, not with what is claimed.</summary>
    /// <exception cref="EndOfStreamException">There are fewer.</exception>
    public static byte[] ReadClaimed(this Stream stream, int length)
    {
        var bytes = new byte[Math.Min(length, FirstStep)];
        for (var read = 0; ;)
        {
            stream.ReadExactly(bytes.AsSpan(read));
            read = bytes.Length;
            if (read == length)
                return bytes;
            Array.Resize(ref bytes, (int)Math.Min(length, 2L * read));
        }
    }

    /// <summary>Goes forward in a stream that perhaps does not seek.</summary>
    /// <exception cref="EndOfStreamException">A stream that does not seek ends before.</exception>
    public static void Skip(this Stream stream, long count)
    {
        if (stream.CanSeek)
        {
            stream.Seek(count, SeekOrigin.Current);
            return;
        }

        Span<byte> nothing = stackalloc byte[4096];
        for (; count > 0; count -= Math.Min(count, nothing.Length))
            stream.ReadExactly(nothing[..(int)Math.Min(count, nothing.Length)]);
    }
}
