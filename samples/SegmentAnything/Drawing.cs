using Microsoft.ML.VisionModels;

namespace SegmentAnythingSample;

/// <summary>The image with its masks, and with what was asked for.</summary>
internal static class Drawing
{
    public static MaskOverlay Of(Settings settings, IReadOnlyList<MaskAnnotation> annotations)
    {
        var overlay = new MaskOverlay(settings.Image) { ContourWidth = 2, Opacity = 0.5 };
        overlay.AddMasks(annotations.Select(annotation => annotation.Mask));
        foreach (var (x, y, isForeground) in settings.Points)
            overlay.AddPoint(x, y, isForeground);
        if (settings.Box is var (left, top, right, bottom))
            overlay.AddBox(left, top, right, bottom);
        return overlay;
    }
}
