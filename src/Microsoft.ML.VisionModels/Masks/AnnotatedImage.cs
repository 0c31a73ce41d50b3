namespace Microsoft.ML.VisionModels;

/// <summary>An image of a data set with its segments.</summary>
public sealed record AnnotatedImage
{
    /// <param name="fileName">The image's path within the data set's folder, parts separated by '/'.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="annotations">The segments; their masks are of the image's size.</param>
    /// <exception cref="ArgumentException">The path is absolute or leads out of the folder, a mask is of another size, or a category negative.</exception>
    public AnnotatedImage(string fileName, int height, int width, IReadOnlyList<MaskAnnotation> annotations)
    {
        ArgumentNullException.ThrowIfNull(annotations);
        FileName = Normalize(fileName);
        (Height, Width, Annotations) = (height, width, annotations);
        foreach (var (i, annotation) in annotations.Index())
        {
            if (annotation.Mask.Height != height || annotation.Mask.Width != width)
                throw new ArgumentException($"Mask {i} of '{fileName}' is {annotation.Mask.Height} x {annotation.Mask.Width}, but the image is {height} x {width}.", nameof(annotations));
            if (annotation.Category < 0)
                throw new ArgumentException($"Mask {i} of '{fileName}' has category {annotation.Category}; they count from 0.", nameof(annotations));
        }
    }

    /// <summary>The image's path within the data set's folder, parts separated by '/'.</summary>
    public string FileName { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>The segments.</summary>
    public IReadOnlyList<MaskAnnotation> Annotations { get; }

    /// <summary>The segments that have pixels: data sets have no place for others. Checks their categories.</summary>
    internal IEnumerable<MaskAnnotation> Visible(int categories)
    {
        foreach (var annotation in Annotations)
        {
            if (annotation.Category >= categories)
                throw new ArgumentException($"A mask of '{FileName}' has category {annotation.Category}, but the data set has {categories}, counted from 0.");
            if (!annotation.Mask.IsEmpty)
                yield return annotation;
        }
    }

    /// <summary>A path within a folder, with '/' on every system.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    internal static string Normalize(string fileName)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        var path = fileName.Replace(Path.DirectorySeparatorChar, '/');
        if (Path.IsPathRooted(fileName) || path.Split('/').Any(part => part is "" or "." or ".."))
            throw new ArgumentException($"'{fileName}' is no path within a data set's folder.", nameof(fileName));
        return path;
    }
}
