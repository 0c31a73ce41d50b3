using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using SegmentAnythingSample;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, cancellation) =>
{
    var watch = Stopwatch.StartNew();

    if (settings.Folder is not null)
    {
        var labeled = Segmentation.Folder(new MLContext(seed: 1), settings, cancellation);
        foreach (var name in labeled.Unreadable)
            AnsiConsole.MarkupLineInterpolated($"[yellow]cannot be read[/]: {name}");
        AnsiConsole.MarkupLineInterpolated($"[bold]{labeled.Segments:N0} segments[/] of {labeled.Images:N0} images: annotations.json (COCO), labels and data.yaml (YOLO) in {settings.Out}");
        return;
    }

    // What the prompts mean, or everything that can be seen.
    var annotations = settings.HasPrompt ? [Segmentation.Prompted(settings)] : Segmentation.Everything(new MLContext(seed: 1), settings, cancellation);

    // The image with what was found over it, and the masks in COCO's form.
    Directory.CreateDirectory(settings.Out);
    var start = Path.Combine(settings.Out, Path.GetFileNameWithoutExtension(settings.Image));
    var (overlay, json) = ($"{start}.overlay.png", $"{start}.json");
    Report.Overlay(settings, annotations).Save(overlay);
    new CocoDataset(["segment"]).Save(json, annotations is [var first, ..]
        ? [new AnnotatedImage(Path.GetFileName(settings.Image), first.Mask.Height, first.Mask.Width, annotations)]
        : []);

    AnsiConsole.Write(Report.Table(annotations));
    AnsiConsole.MarkupLineInterpolated($"[bold]{annotations.Count} segment{(annotations.Count == 1 ? "" : "s")}[/] after {watch.Elapsed.TotalSeconds:F1} seconds: {overlay}, {json}");
});
