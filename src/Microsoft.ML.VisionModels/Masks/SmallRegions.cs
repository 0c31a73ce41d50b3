
namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Removes holes and islands that are too small to be part of the object (reference: facebookresearch/segment-anything, utils/amg.py and
/// automatic_mask_generator.py, with OpenCV's connected components).
/// </summary>
internal static class SmallRegions
{
    /// <summary>Fills the holes of fewer than <paramref name="minArea"/> pixels, including those at the edge of the image.</summary>
    /// <returns>The new mask; the mask itself where nothing is small.</returns>
    public static RunLengthMask FillHoles(RunLengthMask mask, double minArea)
    {
        var outside = new ColumnSegments(mask, inside: false);
        var areas = Areas(outside);
        var components = outside.Components;
        return areas.Any(area => area > 0 && area < minArea)
            ? Keep(mask, outside, i => areas[components[i]] >= minArea, inside: false)
            : mask;
    }

    /// <summary>Drops the islands of fewer than <paramref name="minArea"/> pixels. Where all islands are small, the largest is kept.</summary>
    /// <returns>The new mask; the mask itself where nothing is small.</returns>
    public static RunLengthMask DropIslands(RunLengthMask mask, double minArea)
    {
        var islands = new ColumnSegments(mask);
        var areas = Areas(islands);
        if (!areas.Any(area => area > 0 && area < minArea))
            return mask;
        var components = islands.Components;
        var largest = areas.Max();
        if (largest >= minArea)
            return Keep(mask, islands, i => areas[components[i]] >= minArea, inside: true);
        var kept = FirstOfArea(islands, areas, largest);
        return Keep(mask, islands, i => components[i] == kept, inside: true);
    }

    /// <summary>Fills holes and drops islands.</summary>
    /// <returns>The mask, and whether any hole or island was small. A mask of one small island counts as changed, although it stays as it is.</returns>
    public static (RunLengthMask Mask, bool Changed) Clean(RunLengthMask mask, double minArea)
    {
        var filled = FillHoles(mask, minArea);
        var cleaned = DropIslands(filled, minArea);
        return (cleaned, !ReferenceEquals(mask, cleaned));
    }

    /// <summary>Cleans masks, and suppresses masks whose boxes then overlap much. A mask that was not changed is preferred to one that was.</summary>
    /// <returns>The kept masks, those that were not changed first, each with its index in <paramref name="masks"/>.</returns>
    public static (int Index, RunLengthMask Mask)[] CleanAll(IReadOnlyList<RunLengthMask> masks, double minArea, double iouThreshold)
    {
        (RunLengthMask Mask, bool Changed)[] cleaned = [.. masks.Select(mask => Clean(mask, minArea))];
        var kept = NonMaximumSuppression.Run([.. cleaned.Select(c => c.Mask.Box)], [.. cleaned.Select(c => c.Changed ? 0f : 1f)], iouThreshold);
        return [.. kept.Select(i => (i, cleaned[i].Mask))];
    }

    /// <summary>The number of pixels of each component, at the index of its first segment. The other entries are 0.</summary>
    private static int[] Areas(ColumnSegments segments)
    {
        var components = segments.Components;
        var areas = new int[segments.Count];
        for (var i = 0; i < areas.Length; i++)
            areas[components[i]] += segments[i].Length;
        return areas;
    }

    /// <summary>Of the components of an area, the one that OpenCV numbers first. It scans the image in blocks of 2 x 2 pixels, row by row.</summary>
    private static int FirstOfArea(ColumnSegments segments, int[] areas, int area)
    {
        var components = segments.Components;
        return components[Enumerable.Range(0, segments.Count)
            .Where(i => areas[components[i]] == area)
            .MinBy(i => (segments[i].Start / 2, segments[i].Column / 2))];
    }

    private static RunLengthMask Keep(RunLengthMask mask, ColumnSegments segments, Func<int, bool> isKept, bool inside)
    {
        var writer = new RunWriter(mask.Height, mask.Width);
        for (var i = 0; i < segments.Count; i++)
        {
            if (!isKept(i))
                continue;
            writer.AddUntil(segments[i].Column * mask.Height + segments[i].Start, !inside);
            writer.Add(segments[i].Length, inside);
        }
        writer.AddUntil(mask.Height * mask.Width, !inside);
        return writer.ToMask();
    }
}
