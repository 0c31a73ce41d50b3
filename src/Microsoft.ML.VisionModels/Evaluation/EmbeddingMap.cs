using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Reports;

namespace Microsoft.ML.VisionModels;

/// <summary>A map of images by their embeddings: the result of <c>mlContext.Vision().MapEmbedding</c>.</summary>
public sealed class EmbeddingMap
{
    internal EmbeddingMap()
    {
    }

    /// <summary>The rows that are on the map, in their order.</summary>
    public required IReadOnlyList<MapPoint> Points { get; init; }

    /// <summary>The ids of the rows that are not, as their embedding is NaN (an image that could not be read), infinite or all zeros.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>How the places were found.</summary>
    public required EmbeddingMapMethod Method { get; init; }

    /// <summary>Data URIs of the points' images; empty where there is none.</summary>
    internal IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>
    /// Writes the map as one HTML page that needs nothing but itself: each image is a dot, which shows the image under the pointer. It is
    /// written under a temporary name until it is complete.
    /// </summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="title">The page's title.</param>
    /// <param name="groupOf">What a dot's color stands for, such as the cluster of its id; null takes the label.</param>
    public void SavePage(string path, string title, Func<MapPoint, string>? groupOf = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(title);
        var explanation = Method == EmbeddingMapMethod.TSne
            ? "Images that the network finds alike are near one another (t-SNE). How far groups are from one another, and how large they are, tells little. Point at a dot to see its image, and at a name to see its dots alone."
            : "Images by the two directions in which their embeddings differ the most (principal components). Point at a dot to see its image, and at a name to see its dots alone.";
        AtomicFile.WriteText(path, MapPage.Of("Map of an embedding", title, explanation, Dots(groupOf)));
    }

    /// <summary>Writes the map's dots as an SVG file, without images.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="title">The drawing's title.</param>
    /// <param name="groupOf">What a dot's color stands for; null takes the label.</param>
    public void SaveDrawing(string path, string title, Func<MapPoint, string>? groupOf = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(title);
        AtomicFile.WriteText(path, MapPage.Drawing(title, Dots(groupOf)));
    }

    private MapDot[] Dots(Func<MapPoint, string>? groupOf) =>
        [.. Points.Zip(Images, (point, image) => new MapDot(point.X, point.Y, groupOf?.Invoke(point) ?? point.Label, point.Id, image))];
}

/// <summary>A row on the map.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Label">Its label; empty where there is none.</param>
/// <param name="X">Its place, in the map's own unit.</param>
/// <param name="Y">Its place, in the same unit.</param>
public sealed record MapPoint(string Id, string Label, float X, float Y);
