using Microsoft.ML;
using Microsoft.ML.VisionModels;
using Samples;
using Spectre.Console;
using WebServiceSample;
using Results = Microsoft.AspNetCore.Http.Results;

return SampleProgram.Run<Settings>(args, (settings, _) =>
{
    var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.WebHost.ConfigureKestrel(server =>
    {
        server.ListenLocalhost(settings.Port);
        // What is longer is answered with 413 before it is read.
        server.Limits.MaxRequestBodySize = settings.Megabytes * (1L << 20);
    });

    // One for all requests. The container makes it, and disposes of it when the last request has been answered.
    builder.Services.AddSingleton(_ => new ImageLabeler(new MLContext(), settings.Model));

    using var service = builder.Build();
    service.Services.GetRequiredService<ImageLabeler>();     // a model that cannot be loaded is found out now

    // curl --data-binary @flower.jpg http://localhost:5082/classify
    service.MapPost("/classify", async (HttpRequest request, ImageLabeler labeler, CancellationToken cancellation) =>
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellation);
        try
        {
            return Results.Ok(await labeler.LabelAsync(body.ToArray(), cancellation));
        }
        catch (ImageDecodeException)
        {
            return Results.BadRequest("The body is no image that can be read: post the bytes of a JPEG, PNG or the like.");
        }
    });

    service.Start();
    AnsiConsole.MarkupLineInterpolated($"Post images to [link]http://localhost:{settings.Port}/classify[/]. Ctrl+C ends.");
    service.WaitForShutdown();
});
