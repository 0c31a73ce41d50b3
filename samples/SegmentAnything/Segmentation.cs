using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace SegmentAnythingSample;

/// <summary>What an image is cut into.</summary>
internal static class Segmentation
{
    /// <summary>The segment that points and a box mean.</summary>
    public static MaskAnnotation Prompted(Settings settings)
    {
        using var session = new SamSession(settings.Checkpoint, settings.Device);
        var image = session.SetImage(settings.Image);
        var prompt = new SamPrompt { Points = settings.Points, Box = settings.Box };
        // One point may mean a part or the whole: SAM answers with three masks, and tells how good it takes each to be. More is clear.
        var isClear = settings.Box is not null || settings.Points.Count > 1;
        var mask = session.Predict(image, prompt, isClear ? SamMaskChoice.Single : SamMaskChoice.Best)[0];
        return new(mask.Mask) { Properties = new JsonObject { ["score"] = mask.Score } };
    }

    /// <summary>All that can be seen in an image.</summary>
    public static IReadOnlyList<MaskAnnotation> Everything(MLContext mlContext, Settings settings, CancellationToken cancellation)
    {
        using var model = Load(mlContext, settings);
        return AnsiConsole.Progress().Start(screen =>
            model.FindSegments(settings.Image, new PointBar(screen.AddTask("points", maxValue: 1)), cancellation).Select(segment => segment.ToAnnotation()).ToArray());
    }

    /// <summary>All that can be seen in a folder's images, written down for COCO and YOLO.</summary>
    public static SamLabelResult Folder(MLContext mlContext, Settings settings, CancellationToken cancellation)
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
