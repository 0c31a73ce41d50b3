using System.Buffers;
using System.Buffers.Binary;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Turns rows of pixels into the columns that masks are made of, in blocks of 8 x 8 pixels that fit into registers.</summary>
internal static class PixelColumns
{
    private const int Block = 8;

    /// <summary>The mask of pixels given row by row, those inside that are not 0.</summary>
    public static RunLengthMask Read(RunWriter writer, int height, int width, ReadOnlySpan<byte> pixels)
    {
        var columns = ArrayPool<byte>.Shared.Rent(Block * height);
        for (var left = 0; left < width; left += Block)
        {
            var count = Math.Min(Block, width - left);
            Transpose(pixels[left..], width, columns, height, height, count);
            writer.AddPixels(columns.AsSpan(0, count * height));
        }
        ArrayPool<byte>.Shared.Return(columns);
        return writer.ToMask();
    }

    /// <summary>Exchanges rows and columns.</summary>
    /// <param name="source">Rows of pixels, each <paramref name="sourceStride"/> after the one before.</param>
    /// <param name="sourceStride">At least <paramref name="columns"/>.</param>
    /// <param name="target">A row for each column of the source, each <paramref name="targetStride"/> after the one before.</param>
    /// <param name="targetStride">At least <paramref name="rows"/>.</param>
    /// <param name="rows">The source's rows.</param>
    /// <param name="columns">The source's columns.</param>
    private static void Transpose(ReadOnlySpan<byte> source, int sourceStride, Span<byte> target, int targetStride, int rows, int columns)
    {
        for (var x = 0; x < columns; x += Block)
        {
            for (var y = 0; y < rows; y += Block)
            {
                var from = source[(y * sourceStride + x)..];
                var to = target[(x * targetStride + y)..];
                if (x + Block <= columns && y + Block <= rows)
                    TransposeBlock(from, sourceStride, to, targetStride);
                else
                    TransposeRest(from, sourceStride, to, targetStride, Math.Min(Block, rows - y), Math.Min(Block, columns - x));
            }
        }
    }

    private static void TransposeRest(ReadOnlySpan<byte> source, int sourceStride, Span<byte> target, int targetStride, int rows, int columns)
    {
        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < columns; x++)
                target[x * targetStride + y] = source[y * sourceStride + x];
        }
    }

    /// <summary>Exchanges quarters of the block, then quarters of these, then pixels (Warren, "Hacker's Delight", 7-3, with bytes for bits).</summary>
    private static void TransposeBlock(ReadOnlySpan<byte> source, int sourceStride, Span<byte> target, int targetStride)
    {
        Span<ulong> rows = stackalloc ulong[Block];
        for (var i = 0; i < Block; i++)
            rows[i] = BinaryPrimitives.ReadUInt64LittleEndian(source[(i * sourceStride)..]);
        for (var i = 0; i < 4; i++)
            Exchange(ref rows[i], ref rows[i + 4], 32, 0x00000000FFFFFFFF);
        for (var i = 0; i < 4; i++)
            Exchange(ref rows[i + (i & 2)], ref rows[i + (i & 2) + 2], 16, 0x0000FFFF0000FFFF);
        for (var i = 0; i < Block; i += 2)
            Exchange(ref rows[i], ref rows[i + 1], 8, 0x00FF00FF00FF00FF);
        for (var i = 0; i < Block; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(target[(i * targetStride)..], rows[i]);
    }

    /// <summary>Exchanges what <paramref name="mask"/> leaves of the upper row, shifted, with what it leaves of the lower.</summary>
    private static void Exchange(ref ulong upper, ref ulong lower, int shift, ulong mask)
    {
        var difference = ((upper >> shift) ^ lower) & mask;
        lower ^= difference;
        upper ^= difference << shift;
    }
}
