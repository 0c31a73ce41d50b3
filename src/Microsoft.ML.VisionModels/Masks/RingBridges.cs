using System.Drawing;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>Links closed lines to one, by bridges without width (as Ultralytics' merge_multi_segment, there in one chain).</summary>
internal static class RingBridges
{
    /// <summary>Goes along the first line; where a corner of what is joined so far is closest to one of the next line, over to it, around it and back.</summary>
    public static IReadOnlyList<Point> Join(IEnumerable<IReadOnlyList<Point>> rings)
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
}
