using Microsoft.ML.VisionModels;
using Samples;
using SegmentPageSample;
using Spectre.Console;

return SampleProgram.Run<Settings>(args, (settings, _) =>
{
    var images = ImageFiles.Find(settings.Data);
    using var session = new SamSession(settings.Checkpoint, settings.Device);

    // The page, until Ctrl+C.
    using IHost site = SegmentSite.Build(new ImageFolder(settings.Data, images), session, settings.Port);
    site.Start();
    AnsiConsole.MarkupLineInterpolated($"[bold]{images.Count:N0} images[/]: click on them at [link]http://localhost:{settings.Port}[/]. Ctrl+C ends.");
    site.WaitForShutdown();
});
