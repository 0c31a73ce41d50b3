namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>An image file and the name of its class.</summary>
internal sealed record ImageFile(string Path, string Label)
{
    /// <summary>
    /// The images below a folder, in the ordinal order of their paths. The class is the folder directly below <paramref name="folder"/>
    /// that the image lies in, at whatever depth; images that lie in <paramref name="folder"/> itself have none.
    /// </summary>
    public static ImageFile[] FindAll(string folder)
    {
        var (root, names) = (System.IO.Path.GetFullPath(folder), FindNames(folder));
        var stray = Array.Find(names, name => !name.Contains('/'));
        if (stray is not null && names.Any(name => name.Contains('/')))
            throw new InvalidOperationException($"'{root}' holds images in class folders and also the image '{stray}' beside them, whose class is unknown. Move it into a class folder, or away.");

        return [.. names.Select(name => new ImageFile(System.IO.Path.Combine(root, name.Replace('/', System.IO.Path.DirectorySeparatorChar)), LabelOf(name)))];
    }

    /// <summary>The paths of the images below a folder within it, parts separated by '/', in ordinal order.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidOperationException">There are no images.</exception>
    public static string[] FindNames(string folder)
    {
        var root = System.IO.Path.GetFullPath(folder);
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException($"The image folder '{root}' does not exist.");

        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
        var names = Directory.EnumerateFiles(root, "*", options)
            .Select(path => System.IO.Path.GetRelativePath(root, path).Replace(System.IO.Path.DirectorySeparatorChar, '/'))
            .Where(IsVisibleImage)
            .Order(StringComparer.Ordinal)
            .ToArray();

        if (names.Length == 0)
            throw new InvalidOperationException($"There are no images in '{root}'. Looked for {string.Join(", ", ImageDecoder.FileExtensions)} there and in the folders below.");
        return names;
    }

    private static string LabelOf(string name) => name.Contains('/') ? name[..name.IndexOf('/')] : "";

    /// <summary>Names with a leading dot are hidden on every system.</summary>
    private static bool IsVisibleImage(string name) =>
        ImageDecoder.FileExtensions.Contains(System.IO.Path.GetExtension(name), StringComparer.OrdinalIgnoreCase)
        && !name.Split('/').Any(part => part.StartsWith('.'));
}
