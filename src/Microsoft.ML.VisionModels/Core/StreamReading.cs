namespace Microsoft.ML.VisionModels.Core;

/// <summary>Reads streams that say themselves how long they are, without trusting them: memory is taken as bytes arrive.</summary>
internal static class StreamReading
{
    private const int FirstStep = 1 << 16;

    /// <summary>Reads as many bytes as the file claims to have. A false claim takes little memory, as the buffer grows with what was read.</summary>
    /// <exception cref="EndOfStreamException">The stream has fewer bytes.</exception>
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

    /// <summary>Skips bytes of a stream, by seeking where it can and by reading where it cannot.</summary>
    /// <exception cref="EndOfStreamException">A stream that cannot seek ends earlier.</exception>
    public static void Skip(this Stream stream, long count)
    {
        if (stream.CanSeek)
        {
            stream.Seek(count, SeekOrigin.Current);
            return;
        }

        Span<byte> skipped = stackalloc byte[4096];
        for (; count > 0; count -= Math.Min(count, skipped.Length))
            stream.ReadExactly(skipped[..(int)Math.Min(count, skipped.Length)]);
    }
}
