using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using SegmentAnythingSample;
using Spectre.Console;

return SampleProgram.Run(args, Settings.Help, cancellation =>
{
    var settings = Settings.Parse(args);
    var watch = Stopwatch.StartNew();

    // What the prompts mean, or everything that can be seen.
    var annotations = settings.HasPrompt ? [Prompted.Segment(settings)] : Everything.Segment(new MLContext(seed: 1), settings, cancellation);

    // The picture with what was found over it, and the masks in COCO's form.
    Directory.CreateDirectory(settings.Out);
    var name = Path.Combine(settings.Out, Path.GetFileNameWithoutExtension(settings.Picture));
    var (overlay, json) = ($"{name}.overlay.png", $"{name}.json");
    Drawing.Of(settings, annotations).Save(overlay);
    new CocoDataset(["segment"]).Save(json, annotations is [var first, ..]
        ? [new AnnotatedPicture(Path.GetFileName(settings.Picture), first.Mask.Height, first.Mask.Width, annotations)]
        : []);

    AnsiConsole.Write(Report.Of(annotations));
    AnsiConsole.MarkupLineInterpolated($"[bold]{annotations.Count} segments[/] after {watch.Elapsed.TotalSeconds:F1} seconds: {overlay}, {json}");
});
