using System.Globalization;
using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace SegmentAnythingSample;

/// <summary>What a person sees of the segments.</summary>
internal static class Report
{
    private const int Shown = 20;

    /// <summary>The image with its masks, and with what was asked for.</summary>
    public static MaskOverlay Overlay(Settings settings, IReadOnlyList<MaskAnnotation> annotations)
    {
        var overlay = new MaskOverlay(settings.Image) { ContourWidth = 2, Opacity = 0.5 };
        overlay.AddMasks(annotations.Select(annotation => annotation.Mask));
        foreach (var (x, y, isForeground) in settings.Points)
            overlay.AddPoint(x, y, isForeground);
        if (settings.Box is var (left, top, right, bottom))
            overlay.AddBox(left, top, right, bottom);
        return overlay;
    }

    /// <summary>The largest segments.</summary>
    public static Table Table(IReadOnlyList<MaskAnnotation> annotations)
    {
        var table = new Table().AddColumns("left, top, right, bottom", "pixels", "of the image", "score");
        foreach (var annotation in annotations.OrderByDescending(annotation => annotation.Mask.Area).Take(Shown))
        {
            var mask = annotation.Mask;
            var score = annotation.Properties!["score"] ?? annotation.Properties["predicted_iou"];
            table.AddRow($"{mask.Box}", $"{mask.Area:N0}", $"{(double)mask.Area / mask.Height / mask.Width:P1}", score!.GetValue<float>().ToString("F3", CultureInfo.InvariantCulture));
        }
        return annotations.Count > Shown ? table.Caption($"the {Shown} largest of {annotations.Count}") : table;
    }
}
