using System.Text.Json;
using Microsoft.ML.VisionModels;
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

        site.MapGet("/images", () => Results.Ok(images.Names));

        site.MapGet("/image", (string? name) => images.PathOf(name) is { } path
            ? Results.File(path, ImageFiles.TypeOf(name!))
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
            catch (ImageDecodeException)    // which tells of paths
            {
                return Results.BadRequest($"'{prompt.Name}' cannot be read as an image.");
            }
            catch (ArgumentException e)
            {
                return Results.BadRequest(e.Message);
            }
        }

        static IResult NoSuchImage() => Results.NotFound("There is no such image.");
    }
}

/// <summary>The images that were there when the program started, by the names that the page calls them. Nothing else is ever opened.</summary>
internal sealed class ImageFolder(string folder, IReadOnlyList<string> images)
{
    private readonly Dictionary<string, string> _paths = images.ToDictionary(path => Path.GetRelativePath(Path.GetFullPath(folder), path), StringComparer.Ordinal);

    public IEnumerable<string> Names => _paths.Keys;

    /// <summary>The image's file; null where it is none of the folder's, or has gone, or become a link out of it.</summary>
    public string? PathOf(string? name) => name is not null && _paths.TryGetValue(name, out var path) ? ImageFiles.FileWithin(folder, path) : null;
}

/// <summary>What the page asks: the mask of what was clicked on.</summary>
/// <param name="Name">The image.</param>
/// <param name="Points">The clicks.</param>
internal sealed record Prompt(string? Name, Prompt.Click[]? Points)
{
    /// <summary>A click, in pixels of the image. A class: of a struct, JSON would not keep the default.</summary>
    public sealed record Click(float X, float Y, bool IsForeground = true)
    {
        public SamPoint ToPoint() => new(X, Y, IsForeground);
    }
}

/// <summary>A mask as COCO has it, and as the page downloads it: the counts are the lengths of the runs, column by column, outside first.</summary>
internal sealed record Answer(string FileName, float Score, int Area, int[] Bbox, Answer.Runs Segmentation)
{
    public static Answer Of(string name, SamMask mask)
    {
        var (pixels, box) = (mask.Mask, mask.Mask.Box);
        int[] bbox = pixels.IsEmpty ? [0, 0, 0, 0] : [box.Left, box.Top, box.Right - box.Left + 1, box.Bottom - box.Top + 1];
        return new(name, mask.Score, pixels.Area, bbox, new([pixels.Height, pixels.Width], pixels.Counts));
    }

    public sealed record Runs(int[] Size, IReadOnlyList<int> Counts);
}
