using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Writes 16-bit gray images as PNG (ISO/IEC 15948), which SkiaSharp cannot do.</summary>
internal static class GrayPng
{
    private const byte BitDepth = 16;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="height">The image's height.</param>
    /// <param name="width">The image's width.</param>
    /// <param name="values">A value from 0 to 65,535 for each pixel, row by row.</param>
    public static void Write(string path, int height, int width, int[] values)
    {
        var header = new byte[13];  // the zeros after the bit depth stand for gray, and for the standard compression, filtering and no interlacing
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = BitDepth;
        AtomicFile.Write(path, file =>
        {
            file.Write(Signature);
            WriteChunk(file, "IHDR"u8, header);
            WriteChunk(file, "IDAT"u8, Compress(height, width, values));
            WriteChunk(file, "IEND"u8, []);
        });
    }

    private static byte[] Compress(int height, int width, int[] values)
    {
        var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal))
        {
            var row = new byte[1 + 2 * width];  // the first byte, 0, says that the row is not filtered
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                    BinaryPrimitives.WriteUInt16BigEndian(row.AsSpan(1 + 2 * x), (ushort)values[y * width + x]);
                zlib.Write(row);
            }
        }
        return compressed.ToArray();
    }

    private static void WriteChunk(Stream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        var crc = new Crc32();
        crc.Append(type);
        crc.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc.GetCurrentHashAsUInt32());
        file.Write(number);
    }
}
