using Microsoft.ML.VisionModels;

namespace SegmentPageSample;

/// <summary>A mask as COCO has it, and as the page downloads it: the counts are the lengths of the runs, column by column, outside first.</summary>
internal sealed record Answer(string FileName, float Score, int Area, int[] Bbox, Answer.Runs Segmentation)
{
    public static Answer Of(string name, SamMask mask)
    {
        var (pixels, box) = (mask.Mask, mask.Mask.Box);
        int[] bbox = pixels.IsEmpty ? [0, 0, 0, 0] : [box.Left, box.Top, box.Right - box.Left + 1, box.Bottom - box.Top + 1];
        return new(name, mask.Score, pixels.Area, bbox, new([pixels.Height, pixels.Width], pixels.Counts));
    }

    public sealed record Runs(int[] Size, IReadOnlyList<int> Counts);
}
