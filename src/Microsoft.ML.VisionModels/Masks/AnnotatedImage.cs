using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels;

/// <summary>An image of a dataset with its annotations.</summary>
public sealed record AnnotatedImage
{
    /// <param name="fileName">The image's path within the dataset's folder, with '/' between its parts.</param>
    /// <param name="height">The image's height.</param>
    /// <param name="width">The image's width.</param>
    /// <param name="annotations">The annotations, whose masks have the image's size.</param>
    /// <exception cref="ArgumentException">The path is absolute or leads out of the folder, a mask has another size, or a category is negative.</exception>
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

    /// <summary>The image's path within the dataset's folder, with '/' between its parts.</summary>
    public string FileName { get; }

    /// <summary>The image's height.</summary>
    public int Height { get; }

    /// <summary>The image's width.</summary>
    public int Width { get; }

    /// <summary>The annotations.</summary>
    public IReadOnlyList<MaskAnnotation> Annotations { get; }

    /// <summary>The annotations whose mask is not empty, as dataset formats cannot hold an empty one. Their categories are checked.</summary>
    internal IEnumerable<MaskAnnotation> Visible(int categories)
    {
        foreach (var annotation in Annotations)
        {
            if (annotation.Category >= categories)
                throw new ArgumentException($"A mask of '{FileName}' has category {annotation.Category}, but the dataset has {categories}, counted from 0.");
            if (!annotation.Mask.IsEmpty)
                yield return annotation;
        }
    }

    /// <summary>A path within a folder, with '/' between its parts on every system.</summary>
    /// <exception cref="ArgumentException">It is not such a path.</exception>
    internal static string Normalize(string fileName)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        var path = fileName.Replace(Path.DirectorySeparatorChar, '/');
        if (Path.IsPathRooted(fileName) || path.Split('/').Any(part => part is "" or "." or ".."))
            throw new ArgumentException($"'{fileName}' is no path within a dataset's folder.", nameof(fileName));
        return path;
    }
}

/// <summary>An object in an image of a dataset: COCO's annotation.</summary>
/// <param name="Mask">The pixels of the object: COCO's segmentation, bbox and area.</param>
/// <param name="Category">The index of its category in the dataset's list of categories, from 0. Default 0.</param>
public sealed record MaskAnnotation(RunLengthMask Mask, int Category = 0)
{
    /// <summary>Further entries of the COCO annotation, such as "predicted_iou" and "stability_score"; null for none. YOLO's files cannot hold them.</summary>
    public JsonObject? Properties { get; init; }
}
