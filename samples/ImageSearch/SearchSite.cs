using Microsoft.Extensions.AI;
using Microsoft.ML.VisionModels;
using Samples;
using Results = Microsoft.AspNetCore.Http.Results;

namespace ImageSearchSample;

/// <summary>The page, and what it asks for.</summary>
internal static class SearchSite
{
    private const int LongestText = 1000, MostHits = 200;

    public static WebApplication Build(string folder, EmbeddingIndex index, ClipTextEmbeddingGenerator network, int port)
    {
        var site = LocalSite.Build(port, page => page.Replace("{images}", $"{index.Count:N0}", StringComparison.Ordinal));

        site.MapGet("/search", async (string? words, CancellationToken cancellation, int top = 24) =>
        {
            if (string.IsNullOrWhiteSpace(words))
                return Results.BadRequest("There are no words to search for.");
            if (words.Length > LongestText)
                return Results.BadRequest($"The text has {words.Length:N0} characters; {LongestText:N0} are the most.");
            if (top is < 1 or > MostHits)
                return NoSuchTop(top);
            var vector = await network.GenerateVectorAsync(words, cancellationToken: cancellation);
            return Results.Ok(index.Search(vector.Span, top));
        });

        site.MapGet("/like", (string id, int top = 24) =>
        {
            if (!index.Contains(id))
                return Results.NotFound("There is no such image.");
            if (top is < 1 or > MostHits)
                return NoSuchTop(top);
            return Results.Ok(index.SearchLike(id, top));
        });

        // Ids are paths. Only those of the index are opened, whatever is asked for, and none that has become a link out of the folder.
        site.MapGet("/image", (string id) => index.Contains(id) && ImageFiles.FileWithin(folder, id) is { } file
            ? Results.File(file, ImageFiles.TypeOf(id))
            : Results.NotFound("There is no such image."));
        return site;

        static IResult NoSuchTop(int top) => Results.BadRequest($"top is from 1 to {MostHits}, not {top}.");
    }
}
