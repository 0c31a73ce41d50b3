using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>Writes annotated images as one file in COCO's format (https://cocodataset.org/#format-data), which pycocotools and most training tools read.</summary>
/// <remarks>
/// The ids of images, annotations and categories count from 1, those of categories in the order of their names in the list. The "bbox" of an
/// annotation is [x, y, width, height], where the width is the number of columns, as in pycocotools' <c>toBbox</c>; in Segment Anything's own
/// records, see <see cref="MaskBox.ToXywh"/>, it is one less. "area" is the number of the mask's pixels, and "iscrowd" is 0. Empty masks
/// are left out.
/// </remarks>
public sealed class CocoDataset
{
    private readonly IReadOnlyList<string> _categories;

    /// <param name="categories">The names of the categories.</param>
    /// <exception cref="ArgumentException">There is no name, or one is empty.</exception>
    public CocoDataset(IReadOnlyList<string> categories) => _categories = CheckCategories(categories);

    /// <summary>How masks are written. Default <see cref="CocoSegmentation.Compressed"/>.</summary>
    public CocoSegmentation Segmentation { get; init; }

    /// <summary>By how many pixels polygons may differ from the mask; 0 keeps them exact. Default 1.</summary>
    public double Tolerance { get; init; } = 1;

    /// <summary>Writes the file, under a temporary name until it is complete.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="images">The images, which are enumerated once and not kept in memory: a list, or <see cref="AnnotationStore.ReadAll"/>.</param>
    /// <exception cref="ArgumentException">An annotation's category has no name, or one of its properties has the name of an entry of COCO's.</exception>
    public void Save(string path, IEnumerable<AnnotatedImage> images)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(images);
        AtomicFile.Write(path, stream =>
        {
            using var writer = new Utf8JsonWriter(stream, RunLengthMask.CocoJsonOptions);
            writer.WriteStartObject();
            writer.WriteStartObject("info");
            writer.WriteEndObject();
            WriteCategories(writer);
            WriteImages(writer, WriteAnnotations(writer, images));
            writer.WriteEndObject();
        });
    }

    internal static IReadOnlyList<string> CheckCategories(IReadOnlyList<string> categories)
    {
        ArgumentNullException.ThrowIfNull(categories);
        if (categories.Count == 0 || categories.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A dataset needs at least one category, and each category a name.", nameof(categories));
        return [.. categories];
    }

    private void WriteCategories(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("categories");
        foreach (var (index, name) in _categories.Index())
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", index + 1);
            writer.WriteString("name", name);
            writer.WriteString("supercategory", "");
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    /// <summary>Writes the annotations of all images, and returns the images without their annotations.</summary>
    private List<AnnotatedImage> WriteAnnotations(Utf8JsonWriter writer, IEnumerable<AnnotatedImage> images)
    {
        List<AnnotatedImage> written = [];
        long id = 0;
        writer.WriteStartArray("annotations");
        foreach (var image in images)
        {
            written.Add(new(image.FileName, image.Height, image.Width, []));
            foreach (var annotation in image.Visible(_categories.Count))
                WriteAnnotation(writer, annotation, ++id, imageId: written.Count);
            writer.Flush();
        }
        writer.WriteEndArray();
        return written;
    }

    private void WriteAnnotation(Utf8JsonWriter writer, MaskAnnotation annotation, long id, int imageId)
    {
        var mask = annotation.Mask;
        writer.WriteStartObject();
        writer.WriteNumber("id", id);
        writer.WriteNumber("image_id", imageId);
        writer.WriteNumber("category_id", annotation.Category + 1);
        WriteNumbers(writer, "bbox", [mask.Box.Left, mask.Box.Top, mask.Box.Right - mask.Box.Left + 1, mask.Box.Bottom - mask.Box.Top + 1]);
        writer.WriteNumber("area", mask.Area);
        writer.WriteNumber("iscrowd", 0);
        writer.WritePropertyName("segmentation");
        if (Segmentation == CocoSegmentation.Polygons)
            WritePolygons(writer, mask);
        else
            mask.WriteTo(writer, Segmentation == CocoSegmentation.Compressed);
        foreach (var (name, value) in annotation.Properties ?? [])
        {
            if (name is "id" or "image_id" or "category_id" or "bbox" or "area" or "iscrowd" or "segmentation")
                throw new ArgumentException($"An annotation's properties cannot have the name '{name}', which is an entry of COCO's.");
            writer.WritePropertyName(name);
            if (value is null)
                writer.WriteNullValue();
            else
                value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    private void WritePolygons(Utf8JsonWriter writer, RunLengthMask mask)
    {
        writer.WriteStartArray();
        foreach (var polygon in mask.ToPolygons(Tolerance))
            WriteNumbers(writer, null, MaskPolygon.Join([polygon]).SelectMany(corner => new[] { corner.X, corner.Y }));
        writer.WriteEndArray();
    }

    private static void WriteImages(Utf8JsonWriter writer, List<AnnotatedImage> images)
    {
        writer.WriteStartArray("images");
        foreach (var (index, image) in images.Index())
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", index + 1);
            writer.WriteString("file_name", image.FileName);
            writer.WriteNumber("height", image.Height);
            writer.WriteNumber("width", image.Width);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string? name, IEnumerable<int> numbers)
    {
        if (name is not null)
            writer.WritePropertyName(name);
        writer.WriteStartArray();
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}

/// <summary>How <see cref="CocoDataset"/> writes masks.</summary>
public enum CocoSegmentation
{
    /// <summary>Exact, as compressed counts: the smallest files, which pycocotools reads.</summary>
    Compressed,

    /// <summary>Exact, as a list of counts, the lengths of the runs.</summary>
    Uncompressed,

    /// <summary>A polygon for each part, within a tolerance. As COCO's polygons have no holes, the lines around holes are linked to the line around the part.</summary>
    Polygons,
}
