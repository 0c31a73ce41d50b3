using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace SegmentAnythingSample;

/// <summary>All that can be seen in a picture.</summary>
internal static class Everything
{
    public static IReadOnlyList<MaskAnnotation> Segment(MLContext mlContext, Settings settings, CancellationToken cancellation)
    {
        using var model = Load(mlContext, settings);
        return AnsiConsole.Status().Start("Asking about each point of a grid", _ =>
            model.FindSegments(settings.Picture, cancellation).Select(segment => segment.ToAnnotation()).ToArray());
    }

    /// <summary>Nothing is learnt from pictures: fitting loads the network, and wants to see the column alone.</summary>
    private static SamEverythingTransformer Load(MLContext mlContext, Settings settings) => mlContext.Transforms
        .SamEverything(new SamEverythingOptions { Checkpoint = settings.Checkpoint, PointsPerSide = settings.Grid, Device = settings.Device })
        .Fit(mlContext.Data.LoadFromEnumerable<Row>([]));

    private sealed class Row
    {
        public string Image { get; set; } = "";
    }
}
