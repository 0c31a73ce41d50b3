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
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public static IReadOnlyList<string> Find(string folder)
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true };   // passes over what is hidden or may not be read
        string[] images = [.. Directory.EnumerateFiles(Path.GetFullPath(folder), "*", everywhere)
            .Where(path => s_types.ContainsKey(Path.GetExtension(path)))
            .Order(StringComparer.Ordinal)];
        return images.Length > 0 ? images : throw new InvalidOperationException($"There are no images in {folder}. Looked for {string.Join(", ", s_types.Keys)}.");
    }

    /// <summary>The content type that browsers are told.</summary>
    public static string TypeOf(string path) => s_types[Path.GetExtension(path)];
}
