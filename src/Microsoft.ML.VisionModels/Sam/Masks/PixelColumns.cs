using System.Buffers;

namespace Microsoft.ML.VisionModels.Sam;

/// <summary>Turns rows of pixels into the columns that masks are made of, some columns at a time, so that they stay in the processor's cache.</summary>
internal static class PixelColumns
{
    private const int ColumnsAtOnce = 64;

    /// <summary>The mask of pixels given row by row, those inside that are not 0.</summary>
    public static RunLengthMask Read(RunWriter writer, int height, int width, ReadOnlySpan<byte> pixels)
    {
        var columns = ArrayPool<byte>.Shared.Rent(height * Math.Min(width, ColumnsAtOnce));
        for (var left = 0; left < width; left += ColumnsAtOnce)
        {
            var count = Math.Min(ColumnsAtOnce, width - left);
            for (var y = 0; y < height; y++)
            {
                var row = pixels.Slice(y * width + left, count);
                for (var x = 0; x < row.Length; x++)
                    columns[x * height + y] = row[x];
            }
            writer.AddPixels(columns.AsSpan(0, count * height));
        }
        ArrayPool<byte>.Shared.Return(columns);
        return writer.ToMask();
    }
}
