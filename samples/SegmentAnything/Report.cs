using System.Globalization;
using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace SegmentAnythingSample;

/// <summary>The largest segments as a table.</summary>
internal static class Report
{
    private const int Shown = 20;

    public static Table Of(IReadOnlyList<MaskAnnotation> annotations)
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
