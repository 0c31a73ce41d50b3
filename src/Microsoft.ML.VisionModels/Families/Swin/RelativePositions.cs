using System.Collections.Concurrent;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Where the tokens of a window lie to one another, as plain numbers: kept, as every pass needs them.</summary>
internal static class RelativePositions
{
    private static readonly ConcurrentDictionary<(int Window, int Table), long[]> s_rows = new();
    private static readonly ConcurrentDictionary<(int Window, int Pretrained), float[]> s_coordinates = new();

    /// <summary>Offsets that two tokens of a window can have.</summary>
    public static int Count(int window) => (2 * window - 1) * (2 * window - 1);

    /// <summary>For each two tokens, T x T, the row that their offset has in a table of all offsets.</summary>
    /// <param name="window">The side of the window, T its square.</param>
    /// <param name="table">The side of the window that the table is for, at least as large: a smaller window uses its middle.</param>
    public static long[] Rows(int window, int table) => s_rows.GetOrAdd((window, table), static key =>
    {
        var (window, table) = key;
        var tokens = window * window;
        var rows = new long[tokens * tokens];
        for (var i = 0; i < tokens; i++)
        {
            for (var j = 0; j < tokens; j++)
            {
                var (down, right) = (i / window - j / window, i % window - j % window);
                rows[i * tokens + j] = (down + table - 1) * (2 * table - 1) + right + table - 1;
            }
        }
        return rows;
    });

    /// <summary>
    /// For each offset of the table, down and right on a logarithmic scale: from -1 to 1 and somewhat over, but farther where the
    /// window is larger than the one that the network was pretrained with.
    /// </summary>
    /// <param name="window">The side of the window.</param>
    /// <param name="pretrained">The side of the window in pretraining.</param>
    /// <returns>Count(window) x 2 numbers.</returns>
    public static float[] Coordinates(int window, int pretrained) => s_coordinates.GetOrAdd((window, pretrained), static key =>
    {
        var (window, pretrained) = key;
        var side = 2 * window - 1;
        var coordinates = new float[2 * side * side];
        for (var i = 0; i < side * side; i++)
            (coordinates[2 * i], coordinates[2 * i + 1]) = (Coordinate(i / side - window + 1), Coordinate(i % side - window + 1));
        return coordinates;

        float Coordinate(int offset)
        {
            if (offset == 0)
                return 0;       // of a window of one token, too
            var scaled = 8f * (offset / (float)(pretrained - 1));
            return Math.Sign(scaled) * MathF.Log2(Math.Abs(scaled) + 1) / 3;     // log2(8) = 3
        }
    });
}
