using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// A folder with one file for each annotated image, so that long work can be stopped and resumed: no file is ever half written. At the
/// end, <see cref="CocoDataset"/> and <see cref="YoloDataset"/> make datasets from them.
/// </summary>
/// <param name="folder">The folder, which is created when the first image is written.</param>
/// <example>
/// <code>
/// var store = new AnnotationStore("annotated");
/// foreach (var file in files.Where(file => !store.Contains(file)))
///     store.Write(Annotate(file));
/// new CocoDataset(["object"]).Save("annotations.json", store.ReadAll());
/// </code>
/// </example>
public sealed class AnnotationStore(string folder)
{
    private const string Extension = ".masks.json";

    /// <summary>Whether an image's annotations were written.</summary>
    /// <param name="fileName">The image's path within the dataset's folder.</param>
    public bool Contains(string fileName) => Path.Exists(PathOf(fileName));

    /// <summary>Writes an image's annotations, and replaces those that were written before.</summary>
    public void Write(AnnotatedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var path = PathOf(image.FileName);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, stream =>
        {
            using var writer = new Utf8JsonWriter(stream, RunLengthMask.CocoJsonOptions);
            writer.WriteStartObject();
            writer.WriteString("file_name", image.FileName);
            writer.WriteNumber("height", image.Height);
            writer.WriteNumber("width", image.Width);
            writer.WriteStartArray("annotations");
            foreach (var annotation in image.Annotations)
            {
                writer.WriteStartObject();
                writer.WriteNumber("category", annotation.Category);
                writer.WritePropertyName("segmentation");
                annotation.Mask.WriteTo(writer, compressed: true);
                if (annotation.Properties is { } properties)
                {
                    writer.WritePropertyName("properties");
                    properties.WriteTo(writer);
                }
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    /// <summary>Reads an image's annotations.</summary>
    /// <param name="fileName">The image's path within the dataset's folder.</param>
    /// <exception cref="FileNotFoundException">They were not written.</exception>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public AnnotatedImage Read(string fileName) => ReadFile(PathOf(fileName));

    /// <summary>Reads the annotations of all images, in the ordinal order of the images' paths. Each file is read when the enumeration reaches it.</summary>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public IEnumerable<AnnotatedImage> ReadAll()
    {
        if (!Directory.Exists(folder))
            return [];
        var names = Directory.EnumerateFiles(folder, "*" + Extension, SearchOption.AllDirectories)
            .Select(path => AnnotatedImage.Normalize(Path.GetRelativePath(folder, path[..^Extension.Length])))
            .Order(StringComparer.Ordinal);
        return names.ToArray().Select(Read);
    }

    private string PathOf(string fileName) => Path.Combine(folder, AnnotatedImage.Normalize(fileName) + Extension);

    private static AnnotatedImage ReadFile(string path)
    {
        try
        {
            var root = Utf8Text.ParseJson(InputFile.ReadBytes(path, Limits.AnnotationBytes), path);
            return new AnnotatedImage(
                root.GetProperty("file_name").GetString()!, root.GetProperty("height").GetInt32(), root.GetProperty("width").GetInt32(),
                [.. root.GetProperty("annotations").EnumerateArray().Select(ReadAnnotation)]);
        }
        catch (Exception e) when (e is CheckpointException or FormatException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{path} holds no image's annotations: {e.Message}", e);
        }
    }

    private static MaskAnnotation ReadAnnotation(JsonElement annotation) =>
        new(RunLengthMask.FromCocoJson(annotation.GetProperty("segmentation")), annotation.GetProperty("category").GetInt32())
        {
            Properties = annotation.TryGetProperty("properties", out var properties) ? JsonObject.Create(properties.Clone()) : null,
        };
}
