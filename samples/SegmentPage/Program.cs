using Microsoft.ML.VisionModels;
using Samples;
using SegmentPageSample;
using Spectre.Console;

return SampleProgram.Run(args, Settings.Help, _ =>
{
    var settings = Settings.Parse(args);
    var pictures = PictureFiles.Find(settings.Data);
    using var session = new SamSession(settings.Checkpoint, settings.Device);

    // The page, until Ctrl+C.
    using IHost site = SegmentSite.Build(new PictureFolder(settings.Data, pictures), session, settings.Port);
    site.Start();
    AnsiConsole.MarkupLineInterpolated($"[bold]{pictures.Count:N0} pictures[/]: click on them at [link]http://localhost:{settings.Port}[/]. Ctrl+C ends.");
    site.WaitForShutdown();
});
