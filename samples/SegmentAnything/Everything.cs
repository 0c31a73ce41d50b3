using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace SegmentAnythingSample;

/// <summary>All that can be seen in an image, or in a folder of images.</summary>
internal static class Everything
{
    public static IReadOnlyList<MaskAnnotation> Segment(MLContext mlContext, Settings settings, CancellationToken cancellation)
    {
        using var model = Load(mlContext, settings);
        return AnsiConsole.Progress().Start(screen =>
            model.FindSegments(settings.Image, new PointBar(screen.AddTask("points", maxValue: 1)), cancellation).Select(segment => segment.ToAnnotation()).ToArray());
    }

    public static SamLabelResult Label(MLContext mlContext, Settings settings, CancellationToken cancellation)
    {
        using var model = Load(mlContext, settings);
        return AnsiConsole.Progress().Start(screen => model.LabelFolder(settings.Folder!, settings.Out, new()
        {
            SkipInvalidImages = true,
            CancellationToken = cancellation,
            Progress = new ImageBar(screen.AddTask("images", maxValue: 1)),
        }));
    }

    /// <summary>Nothing is learned from images: fitting loads the network, and wants to see the column alone.</summary>
    private static SamEverythingTransformer Load(MLContext mlContext, Settings settings) => mlContext.Transforms
        .SamEverything(new SamEverythingOptions { Checkpoint = settings.Checkpoint, PointsPerSide = settings.Grid, Device = settings.Device })
        .Fit(mlContext.Data.LoadFromEnumerable<Row>([]));

    private sealed class Row
    {
        public string Image { get; set; } = "";
    }

    /// <summary>Tells at once; <see cref="Progress{T}"/> would tell when it likes.</summary>
    private sealed class PointBar(ProgressTask task) : IProgress<SamEverythingProgress>
    {
        public void Report(SamEverythingProgress value) => (task.MaxValue, task.Value) = (value.Points, value.Done);
    }

    private sealed class ImageBar(ProgressTask task) : IProgress<SamLabelProgress>
    {
        public void Report(SamLabelProgress value)
        {
            task.Description = Markup.Escape($"{value.Done} of {value.Images} images, {value.FileName}: {value.Segments?.ToString() ?? "no"} segments");
            (task.MaxValue, task.Value) = (value.Images, value.Done);
        }
    }
}
