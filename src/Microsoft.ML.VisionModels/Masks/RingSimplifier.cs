using System.Drawing;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Leaves out corners that a line can do without (Douglas and Peucker, "Algorithms for the reduction of the number of points required to represent a digitized line", 1973).</summary>
internal static class RingSimplifier
{
    public static MaskPolygon Simplify(MaskPolygon polygon, double tolerance) =>
        new(Simplify(polygon.Outline, tolerance), [.. polygon.Holes.Select(hole => Simplify(hole, tolerance))]);

    /// <summary>The corners that are needed for no corner to be farther from the line than the tolerance; at least 3.</summary>
    public static Point[] Simplify(IReadOnlyList<Point> ring, double tolerance)
    {
        Point[] corners = [.. ring, ring[0]];   // from the first back to itself
        if (ring.Count <= 4)
            return corners[..^1];
        for (; ; tolerance /= 2)
        {
            var kept = Keep(corners, tolerance);
            if (kept.Length >= 3)
                return kept;
        }
    }

    private static Point[] Keep(Point[] corners, double tolerance)
    {
        var kept = new bool[corners.Length];
        var open = new Stack<(int From, int To)>();
        kept[0] = true;
        open.Push((0, corners.Length - 1));     // a ring's ends are one point, from which the farthest corner is kept whatever the tolerance
        while (open.TryPop(out var part))
        {
            var (farthest, distance) = Farthest(corners, part.From, part.To);
            if (distance <= tolerance * tolerance && part != (0, corners.Length - 1))
                continue;
            kept[farthest] = true;
            if (farthest - part.From > 1)
                open.Push((part.From, farthest));
            if (part.To - farthest > 1)
                open.Push((farthest, part.To));
        }
        return [.. corners.Where((_, i) => kept[i])];
    }

    private static (int Index, double SquaredDistance) Farthest(Point[] corners, int from, int to)
    {
        var (index, greatest) = (from + 1, -1.0);
        for (var i = from + 1; i < to; i++)
        {
            var distance = SquaredDistance(corners[i], corners[from], corners[to]);
            if (distance > greatest)
                (index, greatest) = (i, distance);
        }
        return (index, greatest);
    }

    /// <summary>From a point to the nearest of the line between two others.</summary>
    private static double SquaredDistance(Point point, Point a, Point b)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y, x = point.X - a.X, y = point.Y - a.Y;
        var length = dx * dx + dy * dy;
        var along = length == 0 ? 0 : Math.Clamp((x * dx + y * dy) / length, 0, 1);
        return (x - along * dx) * (x - along * dx) + (y - along * dy) * (y - along * dy);
    }
}
