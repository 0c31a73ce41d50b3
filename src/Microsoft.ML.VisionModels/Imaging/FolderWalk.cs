using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// The files of a folder and of those below it, each folder once: a link that leads to a folder which was seen already, or to one around
/// the root, is passed over. What is hidden is left out: on every system that is what begins with a dot.
/// </summary>
internal sealed class FolderWalk(string root)
{
    private const int MostLinks = 40;   // in a path, as on Linux

    private readonly HashSet<string> _seen = [];    // folders without links in their paths
    private readonly List<string> _files = [];
    private readonly Queue<(string Name, string Target)> _links = [];

    /// <summary>Paths relative to the root, with '/' between the parts.</summary>
    public IReadOnlyList<string> Files()
    {
        var real = Real(root);
        Walk("", real);
        // Folders themselves go before links to them.
        while (_links.TryDequeue(out var link))
        {
            if ((real + Path.DirectorySeparatorChar).StartsWith(link.Target.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                || _seen.Contains(link.Target))
                Notices.Say($"In '{root}' the link {link.Name} leads to '{link.Target}', a folder whose images are there without it, and is passed over.");
            else
                Walk(link.Name, link.Target);
        }
        return _files;
    }

    private void Walk(string name, string real)
    {
        if (!_seen.Add(real))
            return;
        foreach (var entry in new DirectoryInfo(real).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var path = name.Length == 0 ? entry.Name : $"{name}/{entry.Name}";
            if (entry.Name.StartsWith('.') || (entry.Attributes & (FileAttributes.Hidden | FileAttributes.System)) != 0)
                continue;
            if (entry is not DirectoryInfo)
                _files.Add(path);
            else if (entry.LinkTarget is null)
                Walk(path, entry.FullName);
            else
                _links.Enqueue((path, Real(entry.FullName)));
        }
    }

    /// <summary>The path with every link in it followed.</summary>
    private static string Real(string path)
    {
        for (var links = 0; links < MostLinks && FirstLink(path) is { } link; links++)
            path = Path.GetFullPath(Path.Join(Path.Combine(Path.GetDirectoryName(link)!, new DirectoryInfo(link).LinkTarget!), path[link.Length..]));
        return path;
    }

    /// <summary>The shortest beginning of a path that is a link.</summary>
    private static string? FirstLink(string path)
    {
        for (var end = Path.GetPathRoot(path)!.Length; end < path.Length;)
        {
            var next = path.IndexOf(Path.DirectorySeparatorChar, end + 1);
            end = next < 0 ? path.Length : next;
            if (new DirectoryInfo(path[..end]).LinkTarget is not null)
                return path[..end];
        }
        return null;
    }
}
