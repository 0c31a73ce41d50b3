using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Masks;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// All that can be seen in an image: asks about each point of a grid, keeps the masks that are good and stable, and of those that are
/// alike the best (reference: facebookresearch/segment-anything, SamAutomaticMaskGenerator).
/// </summary>
internal sealed class SamGenerator(SamPredictor predictor, SamEverythingOptions settings)
{
    public IReadOnlyList<SamSegment> Generate(RgbImage image, IProgress<SamEverythingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var size = new ImageSize(image.Height, image.Width);
        var grids = PointGrid.BuildLayers(settings.PointsPerSide, settings.CropLayers, settings.CropPointsDownscale);
        var found = new List<(SamSegment Segment, CropBox Crop)>();
        var crops = CropBox.Generate(size, settings.CropLayers, settings.CropOverlap);
        var (done, points) = (0, crops.Sum(crop => grids[crop.Layer].Length));
        foreach (var crop in crops)
        {
            var inCrop = InCrop(image.Window(crop.Left, crop.Top, crop.Width, crop.Height), crop, size, grids[crop.Layer], Answered, cancellation);
            found.AddRange(Suppress(inCrop, [.. inCrop.Select(segment => segment.PredictedIou)], settings.BoxNmsThreshold).Select(segment => (segment, crop)));
        }

        var segments = found.Select(entry => entry.Segment).ToList();
        if (settings.CropLayers > 0)        // what smaller crops found counts more
            segments = Suppress(segments, [.. found.Select(entry => 1f / entry.Crop.Area)], settings.CropNmsThreshold);
        return settings.MinRegionArea > 0 && segments.Count > 0
            ? [.. SmallRegions.CleanAll([.. segments.Select(segment => segment.Mask)], settings.MinRegionArea, Math.Max(settings.BoxNmsThreshold, settings.CropNmsThreshold))
                .Select(cleaned => segments[cleaned.Index] with { Mask = cleaned.Mask })]
            : segments;

        void Answered(int more) => progress?.Report(new(done += more, points));
    }

    private List<SamSegment> InCrop(RgbImage view, CropBox crop, ImageSize size, (double X, double Y)[] grid, Action<int> answered, CancellationToken cancellation)
    {
        var image = predictor.Encode(view);
        var enlarger = new MaskEnlarger(predictor.Config.ImageSize, image.Resized, image.Size);
        var segments = new List<SamSegment>();
        foreach (var points in grid.Select(point => (X: point.X * crop.Width, Y: point.Y * crop.Height)).Chunk(Math.Min(settings.PointsPerBatch, predictor.PromptsAtOnce)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var (masks, iou) = predictor.Decode(image, [.. points.Select(point => SamPrompt.AtPoint((float)point.X, (float)point.Y))]);
            var scores = Core.TensorRows.ToRows(iou);
            for (var i = 0; i < points.Length; i++)
            {
                var place = crop.Uncrop(points[i]);
                for (var mask = 1; mask < scores[i].Length; mask++)     // the first is for clear prompts
                {
                    if (Segment(masks[i, mask], scores[i][mask], enlarger, crop, size) is { } segment)
                        segments.Add(segment with { Point = new((float)place.X, (float)place.Y) });
                }
            }
            answered(points.Length);
        }
        return segments;
    }

    private SamSegment? Segment(Tensor logits, float score, MaskEnlarger enlarger, CropBox crop, ImageSize size)
    {
        // Before the mask is enlarged: most fail here.
        if (settings.PredictedIouThreshold > 0 && !(score > settings.PredictedIouThreshold))
            return null;
        var (mask, stability) = enlarger.Enlarge(logits, 0, (float)settings.StabilityOffset);
        if (settings.StabilityThreshold > 0 && !(stability >= settings.StabilityThreshold))
            return null;
        return crop.CutsOff(mask.Box, size) ? null : new(crop.Uncrop(mask, size), score, stability, default, crop.ToXywh());
    }

    private static List<SamSegment> Suppress(List<SamSegment> segments, float[] scores, double threshold) =>
        [.. NonMaximumSuppression.Run([.. segments.Select(segment => segment.Mask.Box)], scores, threshold).Select(kept => segments[kept])];
}
