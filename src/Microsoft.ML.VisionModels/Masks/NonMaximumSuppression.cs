namespace Microsoft.ML.VisionModels.Masks;

/// <summary>
/// Non-maximum suppression: of boxes that overlap much, only the one with the highest score is kept (reference: torchvision's nms and
/// batched_nms, whose single-precision arithmetic this repeats).
/// </summary>
internal static class NonMaximumSuppression
{
    /// <param name="boxes">x0, y0, x1 and y1 of each box.</param>
    /// <param name="scores">The score of each box.</param>
    /// <param name="iouThreshold">A box is suppressed if its intersection over union with a kept box of a higher score is greater than this.</param>
    /// <param name="categories">The category of each box; boxes of different categories do not suppress each other. Empty where there is only one.</param>
    /// <returns>The indices of the kept boxes, the highest score first; boxes with equal scores are in their own order.</returns>
    public static int[] Run(ReadOnlySpan<float> boxes, ReadOnlySpan<float> scores, double iouThreshold, ReadOnlySpan<int> categories = default)
    {
        if (boxes.Length != 4 * scores.Length || (!categories.IsEmpty && categories.Length != scores.Length))
            throw new ArgumentException($"There are {boxes.Length} numbers of boxes, {scores.Length} scores and {categories.Length} categories.");

        var values = scores.ToArray();
        int[] order = [.. Enumerable.Range(0, values.Length).OrderByDescending(i => values[i])];
        var suppressed = new bool[order.Length];
        List<int> kept = [];
        for (var a = 0; a < order.Length; a++)
        {
            var best = order[a];
            if (suppressed[best])
                continue;
            kept.Add(best);
            var box = boxes.Slice(4 * best, 4);
            var area = Area(box);
            foreach (var other in order.AsSpan(a + 1))
            {
                if (!suppressed[other] && (categories.IsEmpty || categories[other] == categories[best]))
                    suppressed[other] = IoU(box, area, boxes.Slice(4 * other, 4)) > iouThreshold;
            }
        }
        return [.. kept];
    }

    /// <summary>The same for the boxes around masks.</summary>
    public static int[] Run(ReadOnlySpan<MaskBox> boxes, ReadOnlySpan<float> scores, double iouThreshold)
    {
        var numbers = new float[4 * boxes.Length];
        for (var i = 0; i < boxes.Length; i++)
            (numbers[4 * i], numbers[4 * i + 1], numbers[4 * i + 2], numbers[4 * i + 3]) = (boxes[i].Left, boxes[i].Top, boxes[i].Right, boxes[i].Bottom);
        return Run(numbers, scores, iouThreshold);
    }

    private static float Area(ReadOnlySpan<float> box) => (box[2] - box[0]) * (box[3] - box[1]);

    /// <summary>Intersection over union. It is NaN where both boxes have no area, and then neither suppresses the other.</summary>
    private static float IoU(ReadOnlySpan<float> a, float area, ReadOnlySpan<float> b)
    {
        var width = Math.Max(0, Math.Min(a[2], b[2]) - Math.Max(a[0], b[0]));
        var height = Math.Max(0, Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]));
        var intersection = width * height;
        return intersection / (area + Area(b) - intersection);
    }
}
