using System.Text.Json;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Samples;
using Results = Microsoft.AspNetCore.Http.Results;

namespace SegmentPageSample;

/// <summary>The page, and what it asks for.</summary>
internal static class SegmentSite
{
    private const int MostPoints = 100;

    public static WebApplication Build(ImageFolder images, SamSession session, int port)
    {
        var site = LocalSite.Build(port);
        var json = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };   // as COCO's files
        var looking = new Lock();

        var page = LocalSite.ReadPage();
        site.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));

        site.MapGet("/images", () => Results.Ok(images.Names));

        site.MapGet("/image", (string? name) => images.PathOf(name) is { } path
            ? Results.File(path, ImageFiles.TypeOf(path))
            : NoSuchImage());

        // Looking takes most of the time, and is done when the image is opened: the clicks that follow are answered at once.
        site.MapPost("/look", (Prompt prompt) => Answered(prompt, (_, image) => Results.Ok(new { image.Size.Width, image.Size.Height })));

        site.MapPost("/mask", (Prompt prompt) => Answered(prompt, (name, image) =>
        {
            if (prompt.Points is not { Length: > 0 and <= MostPoints } points || points.Contains(null!))
                return Results.BadRequest($"1 to {MostPoints} points are asked for.");
            if (!Array.Exists(points, point => point.IsForeground))
                return Results.BadRequest("Click first on something that is to be in the mask.");
            // One point may mean a part or the whole; several are clear.
            var mask = session.Predict(image, new SamPrompt { Points = [.. points.Select(point => point.ToPoint())] }, points.Length > 1 ? SamMaskChoice.Single : SamMaskChoice.Best)[0];
            return Results.Json(Answer.Of(name, mask), json);
        }));
        return site;

        IResult Answered(Prompt prompt, Func<string, SamImage, IResult> answer)
        {
            if (images.PathOf(prompt.Name) is not { } path)
                return NoSuchImage();
            try
            {
                SamImage image;
                lock (looking)      // one image at a time, and none twice
                    image = session.SetImage(path);
                return answer(prompt.Name!, image);
            }
            catch (Exception e) when (e is ImageDecodeException or ArgumentException)
            {
                return Results.BadRequest(e.Message);
            }
        }

        static IResult NoSuchImage() => Results.NotFound("There is no such image.");
    }
}
