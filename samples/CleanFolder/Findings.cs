using System.Globalization;
using System.Text;
using Microsoft.ML.VisionModels;
using SkiaSharp;

namespace CleanFolderSample;

/// <summary>What was found in a folder.</summary>
/// <param name="Folder">The folder's full path.</param>
/// <param name="Duplicates">The near-duplicates.</param>
/// <param name="Outliers">How unusual each image is.</param>
/// <param name="Clusters">The kinds of images.</param>
internal sealed record Findings(string Folder, Duplicates Duplicates, Outliers Outliers, Clusters Clusters)
{
    /// <summary>An image's path within the folder.</summary>
    public string Name(string path) => Path.GetRelativePath(Folder, path);

    /// <summary>The images of a group, the one to keep first: that with the most pixels, then the most bytes.</summary>
    public static IReadOnlyList<ImageSize> Ranked(DuplicateGroup group) => [.. group.Ids.Select(ImageSize.Of).OrderByDescending(image => (long)image.Width * image.Height).ThenByDescending(image => image.Bytes)];

    /// <summary>One row an image: the number of its group of near-duplicates and whether it is the one to keep, how unusual it is, and the number of its cluster.</summary>
    public void WriteCsv(string path)
    {
        var groups = Duplicates.Groups.Index().SelectMany(group => Ranked(group.Item).Select((image, i) => (image.Path, Group: group.Index + 1, Keep: i == 0))).ToDictionary(row => row.Path);
        var clusters = Clusters.All.Index().SelectMany(cluster => cluster.Item.Rows.Select(row => (row.Id, Cluster: cluster.Index + 1))).ToDictionary(row => row.Id, row => row.Cluster);
        var csv = new StringBuilder("image,duplicates,keep,unusual,cluster\n");
        foreach (var (id, score) in Outliers.Rows.OrderBy(row => row.Id, StringComparer.Ordinal))
        {
            var (group, keep) = groups.TryGetValue(id, out var found) ? ($"{found.Group}", found.Keep ? "yes" : "no") : ("", "");
            csv.Append(CultureInfo.InvariantCulture, $"{Quoted(id)},{group},{keep},{score:0.0000},{clusters[id]}\n");
        }
        foreach (var id in Outliers.LeftOut)
            csv.Append(CultureInfo.InvariantCulture, $"{Quoted(id)},,,unreadable,\n");
        File.WriteAllText(path, csv.ToString());
    }

    private string Quoted(string path) => $"\"{Name(path).Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>How large an image and its file are.</summary>
internal sealed record ImageSize(string Path, int Width, int Height, long Bytes)
{
    public static ImageSize Of(string path)
    {
        using var codec = SKCodec.Create(path);
        return new(path, codec?.Info.Width ?? 0, codec?.Info.Height ?? 0, new FileInfo(path).Length);
    }
}
