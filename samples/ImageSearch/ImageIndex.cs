using Microsoft.ML.VisionModels;
using Spectre.Console;

namespace ImageSearchSample;

/// <summary>The vectors of images, kept in a file so that each image goes through the network once.</summary>
internal static class ImageIndex
{
    /// <summary>Makes the index of these images, with what an earlier one knows of them, and writes it to its file.</summary>
    /// <param name="file">The index's file, which need not be there yet.</param>
    /// <param name="images">Full paths. Those that cannot be read are named on the screen and left out.</param>
    /// <param name="embedder">The network.</param>
    /// <param name="cancellation">Ends the work early; the file has what is done, and the next start goes on from there.</param>
    public static EmbeddingIndex Update(string file, IReadOnlyList<string> images, ImageEmbedder embedder, CancellationToken cancellation)
    {
        var earlier = File.Exists(file) ? EmbeddingIndex.Load(file) : null;
        var written = File.GetLastWriteTimeUtc(file);
        string[] known = [.. images.Where(path => earlier is not null && earlier.Contains(path) && File.GetLastWriteTimeUtc(path) <= written)];
        if (known.Length > 0 && !IsBy(embedder, earlier!, known[0]))
            known = [];

        var index = Embed(embedder, [.. images.Except(known)], cancellation);
        foreach (var path in known)
            index.Add(path, earlier!.GetVector(path));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        index.Save(file);
        AnsiConsole.MarkupLineInterpolated($"{index.Count - known.Length:N0} images embedded now, {known.Length:N0} known from {file}");
        return index;
    }

    /// <summary>Whether an index was made by this network, of which the file says nothing: then an image has the same vector again.</summary>
    private static bool IsBy(ImageEmbedder embedder, EmbeddingIndex index, string image)
    {
        var again = embedder.Embed([image], out _);
        return again.Dimensions == index.Dimensions && again.Search(index.GetVector(image)) is [{ Score: > 0.999f }];
    }

    private static EmbeddingIndex Embed(ImageEmbedder embedder, string[] images, CancellationToken cancellation)
    {
        IReadOnlyList<string> unreadable = [];
        var index = AnsiConsole.Progress().Start(screen =>
        {
            var bar = screen.AddTask($"{images.Length:N0} new images", maxValue: images.Length);
            return embedder.Embed(images.TakeWhile(_ => Go()), out unreadable);

            bool Go()
            {
                bar.Increment(1);
                return !cancellation.IsCancellationRequested;
            }
        });
        foreach (var path in unreadable)
            AnsiConsole.MarkupLineInterpolated($"[yellow]cannot be read[/]: {path}");
        return index;
    }
}
