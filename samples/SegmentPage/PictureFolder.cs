namespace SegmentPageSample;

/// <summary>The pictures that were there when the program started, by the names that the page calls them. Nothing else is ever opened.</summary>
internal sealed class PictureFolder(string folder, IReadOnlyList<string> pictures)
{
    private readonly Dictionary<string, string> _paths = pictures.ToDictionary(path => Path.GetRelativePath(Path.GetFullPath(folder), path), StringComparer.Ordinal);

    public IEnumerable<string> Names => _paths.Keys;

    /// <summary>The picture's full path; null where it is none of the folder's, or has gone.</summary>
    public string? PathOf(string? name) => name is not null && _paths.TryGetValue(name, out var path) && File.Exists(path) ? path : null;
}
