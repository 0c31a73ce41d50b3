using System.Drawing;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Finds the pixels whose centers lie in polygons, column by column.</summary>
internal static class PolygonRasterizer
{
    public static RunLengthMask Rasterize(ImageSize size, IEnumerable<MaskPolygon> polygons)
    {
        var writer = new RunWriter(size.Height, size.Width);
        List<(int Start, int End)> runs = [];
        foreach (var polygon in polygons)
        {
            // Down a column, the polygon's lines enter and leave it in turn.
            List<(int Column, int Row)> crossings = [.. polygon.Holes.Prepend(polygon.Outline).SelectMany(ring => Crossings(ring, size))];
            crossings.Sort();
            for (var i = 0; i < crossings.Count; i += 2)
            {
                var column = crossings[i].Column * size.Height;
                runs.Add((column + crossings[i].Row, column + crossings[i + 1].Row));
            }
        }

        runs.Sort();
        foreach (var (start, end) in runs.Where(run => run.End > run.Start))
        {
            if (start > writer.Position)
                writer.AddUntil(start, inside: false);
            if (end > writer.Position)
                writer.AddUntil(end, inside: true);
        }
        writer.AddUntil(size.Area, inside: false);
        return writer.ToMask();
    }

    /// <summary>Where a line crosses the middles of columns: the column, and the first row whose center is below the crossing.</summary>
    private static IEnumerable<(int Column, int Row)> Crossings(IReadOnlyList<Point> ring, ImageSize size)
    {
        for (var i = 0; i < ring.Count; i++)
        {
            var (a, b) = (ring[i], ring[(i + 1) % ring.Count]);
            if (a.X > b.X)
                (a, b) = (b, a);    // so that a link, which is followed in both directions, is rounded alike in both
            for (var x = Math.Max(a.X, 0); x < Math.Min(b.X, size.Width); x++)
            {
                var y = a.Y + (x + 0.5 - a.X) * (b.Y - a.Y) / (b.X - a.X);
                yield return (x, (int)Math.Clamp(Math.Ceiling(y - 0.5), 0, size.Height));
            }
        }
    }
}
