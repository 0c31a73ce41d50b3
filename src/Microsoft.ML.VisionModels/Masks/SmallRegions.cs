using Microsoft.ML.VisionModels.Imaging.Augmentation;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Removes what is too small to be meant (reference: facebookresearch/segment-anything, utils/amg.py and automatic_mask_generator.py,
/// with OpenCV's connected components).
/// </summary>
internal static class SmallRegions
{
    /// <summary>Fills the holes that are smaller than <paramref name="minArea"/> pixels, those at the image's edge too.</summary>
    /// <returns>The mask itself where there are none.</returns>
    public static RunLengthMask FillHoles(RunLengthMask mask, double minArea)
    {
        var outside = new ColumnSegments(mask, inside: false);
        var areas = Areas(outside);
        var components = outside.Components;
        return areas.Any(area => area > 0 && area < minArea)
            ? Keep(mask, outside, i => areas[components[i]] >= minArea, inside: false)
            : mask;
    }

    /// <summary>Drops the islands that are smaller than <paramref name="minArea"/> pixels; where all are, the largest stays.</summary>
    /// <returns>The mask itself where there are none.</returns>
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
    /// <returns>The mask, and whether any hole or island was too small, which the only island can be and yet stay.</returns>
    public static (RunLengthMask Mask, bool Changed) Clean(RunLengthMask mask, double minArea)
    {
        var filled = FillHoles(mask, minArea);
        var cleaned = DropIslands(filled, minArea);
        return (cleaned, !ReferenceEquals(mask, cleaned));
    }

    /// <summary>Cleans masks, and suppresses those whose boxes have become much like another's, the cleaned before those that were left as they are.</summary>
    /// <returns>The masks that stay, those left as they are first, each with its place among <paramref name="masks"/>.</returns>
    public static (int Index, RunLengthMask Mask)[] CleanAll(IReadOnlyList<RunLengthMask> masks, double minArea, double iouThreshold)
    {
        (RunLengthMask Mask, bool Changed)[] cleaned = [.. masks.Select(mask => Clean(mask, minArea))];
        var kept = NonMaximumSuppression.Run([.. cleaned.Select(c => c.Mask.Box)], [.. cleaned.Select(c => c.Changed ? 0f : 1f)], iouThreshold);
        return [.. kept.Select(i => (i, cleaned[i].Mask))];
    }

    /// <summary>For each component, at its first segment, how many pixels it has; 0 at the other segments.</summary>
    private static int[] Areas(ColumnSegments segments)
    {
        var components = segments.Components;
        var areas = new int[segments.Count];
        for (var i = 0; i < areas.Length; i++)
            areas[components[i]] += segments[i].Length;
        return areas;
    }

    /// <summary>Of the components of an area the one that OpenCV numbers first: it goes over the image in blocks of 2 x 2, row by row.</summary>
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
