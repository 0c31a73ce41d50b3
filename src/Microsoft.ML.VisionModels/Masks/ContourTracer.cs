using System.Drawing;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Finds the lines around a mask's parts and holes from its segments, without looking at pixels. The top and the bottom of every segment
/// are horizontal edges. On the border between two columns, the ends of these edges are sorted from top to bottom, and each pair of them is
/// joined by a vertical edge, which separates inside from outside. So each horizontal edge has a next one, and the lines are the cycles.
/// </summary>
internal static class ContourTracer
{
    /// <summary>The parts of the mask, in the order of their first segments.</summary>
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
                parts.Add(component, rings = []);   // the first segment of a part is at its far left, so it lies on the line around the part, and the other lines are holes
            rings.Add(Follow(segments, next, visited, edge));
        }
        return [.. parts.Values.Select(rings => new MaskPolygon(rings[0], rings[1..]))];
    }

    /// <summary>The next edge of each edge, with the mask on the right. The top of segment i is edge 2i, its bottom is edge 2i + 1.</summary>
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

            // Where one segment ends at the row where a segment of the other column begins, the top is sorted first, so that segments which touch
            // at a corner are on one line.
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
