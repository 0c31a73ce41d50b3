using System.Drawing;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Finds the lines around a mask's parts and holes from its runs alone. The top and the bottom of every run are edges of a line. Where
/// two columns meet, what separates inside from outside runs between two of these edges' ends, one to the next from the top: there the
/// line goes on. So each edge has one that follows it, and the lines are the cycles.
/// </summary>
internal static class ContourTracer
{
    /// <summary>The mask's parts, in the order of their first runs.</summary>
    public static MaskPolygon[] Trace(ColumnSegments segments)
    {
        var next = Link(segments);
        var visited = new bool[next.Length];
        var parts = new SortedDictionary<int, List<Point[]>>();
        for (var edge = 0; edge < next.Length; edge++)
        {
            if (visited[edge])
                continue;
            var component = segments.Components[edge / 2];
            if (!parts.TryGetValue(component, out var rings))
                parts.Add(component, rings = []);   // its first run is at the far left: the line around the part goes there
            rings.Add(Follow(segments, next, visited, edge));
        }
        return [.. parts.Values.Select(rings => new MaskPolygon(rings[0], rings[1..]))];
    }

    /// <summary>For each edge (that of run i's top is 2i, that of its bottom 2i + 1) the one after it, with the mask to the right.</summary>
    private static int[] Link(ColumnSegments segments)
    {
        var next = new int[2 * segments.Count];
        for (var x = 0; x <= segments.Width; x++)
        {
            var (left, right) = (segments.InColumn(x - 1), segments.InColumn(x));
            var (l, r) = (2 * left.Start.Value, 2 * right.Start.Value);
            var (lastL, lastR) = (2 * left.End.Value, 2 * right.End.Value);
            while (l < lastL || r < lastR)
            {
                var (a, b) = (Take(), Take());
                if (IsLeft(a) == IsTop(a))
                    next[a] = b;    // tops are followed from left to right, bottoms from right to left
                else
                    next[b] = a;
            }

            int Take() => r == lastR || (l < lastL && Place(l).CompareTo(Place(r)) <= 0) ? l++ : r++;

            // Where a run ends beside the beginning of another, the beginning comes first: so those that touch at a corner are of one line.
            (int, bool) Place(int edge) => (Row(segments, edge), !IsTop(edge));

            bool IsLeft(int edge) => segments[edge / 2].Column < x;
        }
        return next;
    }

    private static Point[] Follow(ColumnSegments segments, int[] next, bool[] visited, int first)
    {
        List<Point> corners = [];
        var edge = first;
        do
        {
            visited[edge] = true;
            var x = segments[edge / 2].Column + (IsTop(edge) ? 1 : 0);
            var (y, nextY) = (Row(segments, edge), Row(segments, next[edge]));
            if (y != nextY)
            {
                corners.Add(new(x, y));
                corners.Add(new(x, nextY));
            }
            edge = next[edge];
        }
        while (edge != first);
        return [.. corners];
    }

    private static bool IsTop(int edge) => edge % 2 == 0;

    private static int Row(ColumnSegments segments, int edge) => IsTop(edge) ? segments[edge / 2].Start : segments[edge / 2].End;
}
