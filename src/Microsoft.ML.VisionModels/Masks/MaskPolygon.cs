using System.Drawing;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// A connected part of a mask, as a closed line around it and closed lines around its holes. The corners of the lines are corners of
/// pixels: the pixel at (x, y) reaches from there to (x + 1, y + 1). Each line goes on from its last corner to its first.
/// </summary>
/// <param name="Outline">The corners of the line around the part; <see cref="RunLengthMask.ToPolygons"/> gives them clockwise on the screen.</param>
/// <param name="Holes">The corners of the line around each hole; counterclockwise.</param>
public sealed record MaskPolygon(IReadOnlyList<Point> Outline, IReadOnlyList<IReadOnlyList<Point>> Holes)
{
    /// <summary>
    /// One line around all parts that leaves the holes out, for file formats with one line for each object and no holes. The parts and
    /// holes are linked as Ultralytics' converter links them: the line crosses between their closest corners, and returns the same way.
    /// </summary>
    /// <param name="polygons">The parts, at least one.</param>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static IReadOnlyList<Point> Join(IEnumerable<MaskPolygon> polygons)
    {
        ArgumentNullException.ThrowIfNull(polygons);
        var joined = Link(polygons.Select(polygon => Link([polygon.Outline, .. polygon.Holes])));
        return joined.Count > 0 ? joined : throw new ArgumentException("There are no polygons.", nameof(polygons));
    }

    /// <summary>
    /// The polygon with fewer corners (Douglas and Peucker, "Algorithms for the reduction of the number of points
    /// required to represent a digitized line", 1973).
    /// </summary>
    /// <param name="tolerance">By how many pixels the lines may move.</param>
    internal MaskPolygon Simplify(double tolerance) => new(Simplify(Outline, tolerance), [.. Holes.Select(hole => Simplify(hole, tolerance))]);

    /// <summary>
    /// Links closed lines to one, as Ultralytics' merge_multi_segment does, which links them in a chain. Here each line is inserted at the
    /// corner, of all lines linked so far, that is closest to one of its own corners.
    /// </summary>
    private static IReadOnlyList<Point> Link(IEnumerable<IReadOnlyList<Point>> rings)
    {
        List<Point> joined = [];
        foreach (var ring in rings)
        {
            if (joined.Count == 0)
            {
                joined.AddRange(ring);
                continue;
            }
            var (from, to) = Closest(joined, ring);
            joined.InsertRange(from + 1, [.. ring.Skip(to), .. ring.Take(to + 1), joined[from]]);
        }
        return joined;
    }

    private static (int First, int Second) Closest(List<Point> first, IReadOnlyList<Point> second)
    {
        var (closest, least) = ((0, 0), long.MaxValue);
        for (var i = 0; i < first.Count; i++)
        {
            for (var j = 0; j < second.Count; j++)
            {
                long dx = first[i].X - second[j].X, dy = first[i].Y - second[j].Y;
                var distance = dx * dx + dy * dy;
                if (distance < least)
                    (closest, least) = ((i, j), distance);
            }
        }
        return closest;
    }

    /// <summary>Drops the corners that lie within the tolerance of the line between those that are kept; keeps at least 3.</summary>
    private static Point[] Simplify(IReadOnlyList<Point> ring, double tolerance)
    {
        Point[] corners = [.. ring, ring[0]];   // the line from the first corner back to it
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
        open.Push((0, corners.Length - 1));     // both ends are the same point, so the corner farthest from it is always kept
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

    /// <summary>The squared distance from a point to the line segment from a to b.</summary>
    private static double SquaredDistance(Point point, Point a, Point b)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y, x = point.X - a.X, y = point.Y - a.Y;
        var length = dx * dx + dy * dy;
        var along = length == 0 ? 0 : Math.Clamp((x * dx + y * dy) / length, 0, 1);
        return (x - along * dx) * (x - along * dx) + (y - along * dy) * (y - along * dy);
    }
}
