using System.Buffers;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>A part of an image, in pixels; edges may lie between pixels.</summary>
internal readonly record struct PixelBox(float Left, float Top, float Right, float Bottom);

/// <summary>Resizing that equals Pillow's (Image.resize on 8-bit RGB) bit for bit: rows first, rounded to bytes, then columns.</summary>
internal static class PillowResize
{
    /// <summary>Output bytes times taps below which another thread costs more than it saves.</summary>
    private const long WorkPerThread = 4_000_000;

    /// <param name="source">The image.</param>
    /// <param name="width">Of the result.</param>
    /// <param name="height">Of the result.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="box">The part of the image to resize; all of it by default.</param>
    /// <param name="maxThreads">How many threads a large image may take; 1 where images are already processed side by side.</param>
    public static RgbImage Resize(RgbImage source, int width, int height, ResizeFilter filter, PixelBox? box = null, int maxThreads = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var whole = new PixelBox(0, 0, source.Width, source.Height);
        var part = box ?? whole;
        if (!(part.Left >= 0 && part.Top >= 0 && part.Left < part.Right && part.Top < part.Bottom && part.Right <= source.Width && part.Bottom <= source.Height))
            throw new ArgumentOutOfRangeException(nameof(box), part, $"The box must lie within the image of {source.Width} x {source.Height}.");

        if (part == whole && width == source.Width && height == source.Height)
            return source;
        if (filter == ResizeFilter.Nearest)
            return Nearest(source, width, height, part);

        var horizontal = width != source.Width || part.Left != 0 || part.Right != width
            ? ResizeCoefficients.For(filter, source.Width, part.Left, part.Right, width) : null;
        var vertical = height != source.Height || part.Top != 0 || part.Bottom != height
            ? ResizeCoefficients.For(filter, source.Height, part.Top, part.Bottom, height) : null;

        var result = RgbImage.Uninitialized(width, height);
        if (vertical is null)
        {
            ResampleRows(source, 0, height, horizontal!, result.Pixels, maxThreads);
        }
        else if (horizontal is null)
        {
            ResampleColumns(source.Pixels, 0, vertical, result, maxThreads);
        }
        else
        {
            // Only the rows that the second pass reads.
            var firstRow = vertical.First[0];
            var rowCount = vertical.First[^1] + vertical.Count[^1] - firstRow;
            var between = ArrayPool<byte>.Shared.Rent(checked(3 * width * rowCount));
            ResampleRows(source, firstRow, rowCount, horizontal, between, maxThreads);
            ResampleColumns(between, firstRow, vertical, result, maxThreads);
            ArrayPool<byte>.Shared.Return(between);
        }
        return result;
    }

    private static void ResampleRows(RgbImage source, int firstRow, int rowCount, ResizeCoefficients horizontal, byte[] target, int maxThreads)
    {
        var resampler = new RowResampler(horizontal);
        var stride = 3 * horizontal.Length;
        ForRows((rowCount + 1) / 2, 2L * stride * horizontal.Taps, maxThreads, pair =>
        {
            var (first, second) = (2 * pair, Math.Min(2 * pair + 1, rowCount - 1));
            resampler.Resample(From(first), From(second), To(first), To(second));
        });

        ReadOnlySpan<byte> From(int y) => source.Pixels.AsSpan(3 * source.Width * (firstRow + y));
        Span<byte> To(int y) => target.AsSpan(stride * y, stride);
    }

    private static void ResampleColumns(byte[] rows, int firstRow, ResizeCoefficients vertical, RgbImage target, int maxThreads)
    {
        var stride = 3 * target.Width;
        ForRows(target.Height, (long)stride * vertical.Taps, maxThreads,
            y => ColumnResampler.Resample(rows.AsSpan(stride * (vertical.First[y] - firstRow)), vertical.WeightsOf(y), target.Row(y)));
    }

    private static RgbImage Nearest(RgbImage source, int width, int height, PixelBox part)
    {
        var columns = NearestPositions(part.Left, part.Right, width);
        var rows = NearestPositions(part.Top, part.Bottom, height);
        var result = RgbImage.Uninitialized(width, height);
        for (var y = 0; y < height; y++)
        {
            var from = source.Row(rows[y]);
            var to = result.Row(y);
            for (var x = 0; x < width; x++)
                from.Slice(3 * columns[x], 3).CopyTo(to[(3 * x)..]);
        }
        return result;
    }

    /// <summary>The source position of each new pixel's center, summed up step by step as in Pillow, whose rounding this repeats.</summary>
    private static int[] NearestPositions(float from, float to, int length)
    {
        var positions = new int[length];
        var step = (double)(to - from) / length;
        var position = from + step * 0.5;
        for (var i = 0; i < length; i++, position += step)
            positions[i] = (int)position;
        return positions;
    }

    private static void ForRows(int count, long workPerRow, int maxThreads, Action<int> row)
    {
        var threads = (int)Math.Min(Math.Min(maxThreads, Environment.ProcessorCount), count * workPerRow / WorkPerThread);
        if (threads > 1)
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, row);
            return;
        }
        for (var i = 0; i < count; i++)
            row(i);
    }
}
