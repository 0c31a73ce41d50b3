namespace SegmentPageSample;

/// <summary>The images that were there when the program started, by the names that the page calls them. Nothing else is ever opened.</summary>
internal sealed class ImageFolder(string folder, IReadOnlyList<string> images)
{
    private readonly Dictionary<string, string> _paths = images.ToDictionary(path => Path.GetRelativePath(Path.GetFullPath(folder), path), StringComparer.Ordinal);

    public IEnumerable<string> Names => _paths.Keys;

    /// <summary>The image's full path; null where it is none of the folder's, or has gone.</summary>
    public string? PathOf(string? name) => name is not null && _paths.TryGetValue(name, out var path) && File.Exists(path) ? path : null;
}
