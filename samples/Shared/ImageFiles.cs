using System.IO.Enumeration;
using Spectre.Console;

namespace Samples;

/// <summary>The images of a folder, and what browsers are told of them.</summary>
internal static class ImageFiles
{
    private static readonly Dictionary<string, string> s_types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".jpg"] = "image/jpeg", [".jpeg"] = "image/jpeg", [".jfif"] = "image/jpeg", [".png"] = "image/png",
        [".gif"] = "image/gif", [".webp"] = "image/webp", [".bmp"] = "image/bmp", [".ico"] = "image/x-icon",
    };

    /// <summary>The full paths of a folder's images, at whatever depth. LoadImageFolder would want each in a folder that names its class.</summary>
    /// <remarks>Links that lead out of the folder are passed over, and so are those to folders: what is shown is what lies there.</remarks>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public static IReadOnlyList<string> Find(string folder)
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true };   // passes over what is hidden or may not be read
        var files = new FileSystemEnumerable<string>(Path.GetFullPath(folder), (ref entry) => entry.ToFullPath(), everywhere)
        {
            ShouldIncludePredicate = (ref entry) => !entry.IsDirectory && s_types.ContainsKey(Path.GetExtension(entry.ToFullPath())),
            ShouldRecursePredicate = (ref entry) => !IsLink(entry.ToFullPath()),
        };
        var images = files.Order(StringComparer.Ordinal).ToList();
        var elsewhere = images.RemoveAll(path => FileWithin(folder, path) is null);
        if (elsewhere > 0)
            AnsiConsole.MarkupLineInterpolated($"[yellow]passed over[/]: {elsewhere:N0} files that are empty, or links out of {folder}");
        return images.Count > 0 ? images : throw new InvalidOperationException($"There are no images in {folder}. Looked for {string.Join(", ", s_types.Keys)}.");
    }

    /// <summary>The file that a path leads to, over whatever links; null where that is none, or lies outside the folder. It may have become so since it was found.</summary>
    public static string? FileWithin(string folder, string path) =>
        Resolve(folder) is { } root && Resolve(path) is { } file && file.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            && new FileInfo(file) is { Exists: true, Length: > 0 }      // a pipe or a device, which might never end, has no length
            ? file
            : null;

    /// <summary>The content type that browsers are told.</summary>
    public static string TypeOf(string path) => s_types[Path.GetExtension(path)];

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    /// <summary>A full path without links in any of its parts; null where they lead nowhere.</summary>
    private static string? Resolve(string path)
    {
        const int MostLinks = 40;       // as Linux follows
        var (links, resolved) = (0, Path.GetPathRoot(Path.GetFullPath(path))!);
        var parts = new Stack<string>(Parts(Path.GetFullPath(path)));
        while (parts.TryPop(out var part))
        {
            var next = Path.Combine(resolved, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }
            if (++links > MostLinks)
                return null;
            target = Path.GetFullPath(target, resolved);
            foreach (var more in Parts(target))
                parts.Push(more);
            resolved = Path.GetPathRoot(target)!;
        }
        return resolved;

        // The last first.
        static IEnumerable<string> Parts(string full) => full[Path.GetPathRoot(full)!.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse();
    }
}
