namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>A part of a picture, in pixels; edges may lie between pixels.</summary>
internal readonly record struct PixelBox(float Left, float Top, float Right, float Bottom);

/// <summary>Resizing that equals Pillow's (Image.resize on 8-bit RGB) bit for bit: rows first, rounded to bytes, then columns.</summary>
internal static class PillowResize
{
    /// <summary>Output bytes times taps below which another thread costs more than it saves.</summary>
    private const long WorkPerThread = 4_000_000;

    /// <param name="source">The picture.</param>
    /// <param name="width">Of the result.</param>
    /// <param name="height">Of the result.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="box">The part of the picture to resize; all of it by default.</param>
    /// <param name="maxThreads">How many threads a large picture may take; 1 where pictures are already processed side by side.</param>
    public static RgbImage Resize(RgbImage source, int width, int height, ResizeFilter filter, PixelBox? box = null, int maxThreads = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var whole = new PixelBox(0, 0, source.Width, source.Height);
        var part = box ?? whole;
        if (!(part.Left >= 0 && part.Top >= 0 && part.Left < part.Right && part.Top < part.Bottom && part.Right <= source.Width && part.Bottom <= source.Height))
            throw new ArgumentOutOfRangeException(nameof(box), part, $"The box must lie within the picture of {source.Width} x {source.Height}.");

        if (part == whole && width == source.Width && height == source.Height)
            return source;
        if (filter == ResizeFilter.Nearest)
            return Nearest(source, width, height, part);

        var horizontal = width != source.Width || part.Left != 0 || part.Right != width
            ? ResizeCoefficients.For(filter, source.Width, part.Left, part.Right, width) : null;
        var vertical = height != source.Height || part.Top != 0 || part.Bottom != height
            ? ResizeCoefficients.For(filter, source.Height, part.Top, part.Bottom, height) : null;

        // Only the rows that the second pass reads.
        var firstRow = vertical?.First[0] ?? 0;
        var endRow = vertical is null ? height : vertical.First[^1] + vertical.Count[^1];

        var rows = source;
        if (horizontal is not null)
        {
            var resampler = new RowResampler(horizontal);
            rows = RgbImage.Uninitialised(width, endRow - firstRow);
            ForRows(rows.Height, 3L * width * horizontal.Taps, maxThreads, y => resampler.Resample(source.Row(firstRow + y), rows.Row(y)));
        }
        if (vertical is null)
            return rows;

        var offset = horizontal is null ? 0 : firstRow;
        var result = RgbImage.Uninitialised(width, height);
        ForRows(height, 3L * width * vertical.Taps, maxThreads,
            y => ColumnResampler.Resample(rows.Pixels.AsSpan(3 * width * (vertical.First[y] - offset)), vertical.WeightsOf(y), result.Row(y)));
        return result;
    }

    private static RgbImage Nearest(RgbImage source, int width, int height, PixelBox part)
    {
        var columns = NearestPositions(part.Left, part.Right, width);
        var rows = NearestPositions(part.Top, part.Bottom, height);
        var result = RgbImage.Uninitialised(width, height);
        for (var y = 0; y < height; y++)
        {
            var from = source.Row(rows[y]);
            var to = result.Row(y);
            for (var x = 0; x < width; x++)
                from.Slice(3 * columns[x], 3).CopyTo(to[(3 * x)..]);
        }
        return result;
    }

    /// <summary>The source position of each new pixel's centre, summed up step by step as in Pillow, whose rounding this repeats.</summary>
    private static int[] NearestPositions(float from, float to, int length)
    {
        var positions = new int[length];
        var step = ((double)to - from) / length;
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
