using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>Writes annotated images as one file in COCO's form (https://cocodataset.org/#format-data), which pycocotools and most training tools read.</summary>
/// <remarks>
/// Images and annotations are numbered from 1 on, and so are categories, in the order of their names. The "bbox" of an annotation is
/// [x, y, width, height] with all its columns and rows counted, as pycocotools' <c>toBbox</c> has it; Segment Anything's own records, see
/// <see cref="MaskBox.ToXywh"/>, have one less. "area" counts the mask's pixels, "iscrowd" is 0. Masks without pixels are left out.
/// </remarks>
public sealed class CocoDataset
{
    private readonly IReadOnlyList<string> _categories;

    /// <param name="categories">The names of the categories.</param>
    /// <exception cref="ArgumentException">There are none, or one is empty.</exception>
    public CocoDataset(IReadOnlyList<string> categories) => _categories = CheckCategories(categories);

    /// <summary>How masks are written. Default <see cref="CocoSegmentation.Compressed"/>.</summary>
    public CocoSegmentation Segmentation { get; init; }

    /// <summary>By how many pixels polygons may be off; 0 keeps them exact. Default 1.</summary>
    public double Tolerance { get; init; } = 1;

    /// <summary>Writes the file, under a temporary name first.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="images">The images, gone over once and not kept: <see cref="AnnotationStore.ReadAll"/>, or a list.</param>
    /// <exception cref="ArgumentException">An annotation's category has no name, or says in its properties what COCO says already.</exception>
    public void Save(string path, IEnumerable<AnnotatedImage> images)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(images);
        AtomicFile.Write(path, stream =>
        {
            using var writer = new Utf8JsonWriter(stream, CocoJson.WriterOptions);
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
            throw new ArgumentException("A data set needs categories, and each a name.", nameof(categories));
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

    /// <summary>Writes the annotations of all images, and returns the images without them.</summary>
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
                throw new ArgumentException($"An annotation's properties cannot have the name '{name}', which COCO gives a meaning of its own.");
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
