using System.Globalization;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Writes annotated images as a dataset for the segmentation of Ultralytics' YOLO: a folder "labels" with a text file for each image, and
/// "data.yaml" with the names of the categories. The images belong in a folder "images" beside them, which the caller fills.
/// </summary>
/// <remarks>
/// Each annotation is one line: its category, from 0, and the corners of one polygon, x and y in turn, divided by the image's width and
/// height. An object with several parts or with holes becomes one polygon whose lines are linked, see <see cref="MaskPolygon.Join"/>.
/// Ultralytics draws polygons with their edges, so a link comes back as a line one pixel wide. Empty masks are left out; an image without
/// annotations has an empty file.
/// </remarks>
public sealed class YoloDataset
{
    private readonly IReadOnlyList<string> _categories;

    /// <param name="categories">The names of the categories.</param>
    /// <exception cref="ArgumentException">There is no name, or one is empty.</exception>
    public YoloDataset(IReadOnlyList<string> categories) => _categories = CocoDataset.CheckCategories(categories);

    /// <summary>By how many pixels polygons may differ from the mask; 0 keeps them exact. Default 1.</summary>
    public double Tolerance { get; init; } = 1;

    /// <summary>The path of an image's label file within the dataset's folder: "labels/a/b.txt" for the image "a/b.jpg".</summary>
    /// <param name="fileName">The image's path within the folder "images".</param>
    public static string LabelFile(string fileName) => $"labels/{Path.ChangeExtension(AnnotatedImage.Normalize(fileName), ".txt")}";

    /// <summary>The lines of an image's label file.</summary>
    /// <exception cref="ArgumentException">An annotation's category has no name.</exception>
    public string ToLabels(AnnotatedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var lines = new StringBuilder();
        foreach (var annotation in image.Visible(_categories.Count))
        {
            lines.Append(CultureInfo.InvariantCulture, $"{annotation.Category}");
            foreach (var corner in MaskPolygon.Join(annotation.Mask.ToPolygons(Tolerance)))
                lines.Append(CultureInfo.InvariantCulture, $" {(double)corner.X / image.Width:0.######} {(double)corner.Y / image.Height:0.######}");
            lines.Append('\n');
        }
        return lines.ToString();
    }

    /// <summary>Writes an image's label file, under a temporary name until it is complete.</summary>
    /// <param name="folder">The dataset's folder.</param>
    /// <param name="image">The image and its annotations.</param>
    /// <exception cref="ArgumentException">An annotation's category has no name.</exception>
    public void WriteLabels(string folder, AnnotatedImage image)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var labels = ToLabels(image);
        var path = Path.Combine(folder, LabelFile(image.FileName));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteText(path, labels);
    }

    /// <summary>Writes "data.yaml".</summary>
    /// <param name="folder">The dataset's folder, which is created where there is none.</param>
    /// <param name="train">The folder of images to train on. Default "images".</param>
    /// <param name="validation">The folder of images to validate on. Default "images".</param>
    public void WriteDataFile(string folder, string train = "images", string validation = "images")
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var text = new StringBuilder($"train: {Quoted(train)}\nval: {Quoted(validation)}\nnames:\n");
        foreach (var (index, name) in _categories.Index())
            text.Append(CultureInfo.InvariantCulture, $"  {index}: {Quoted(name)}\n");
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "data.yaml"), text.ToString());
    }

    /// <summary>Writes the label files of all images, and "data.yaml".</summary>
    /// <param name="folder">The dataset's folder.</param>
    /// <param name="images">The images, which are enumerated once and not kept in memory: a list, or <see cref="AnnotationStore.ReadAll"/>.</param>
    /// <exception cref="ArgumentException">An annotation's category has no name, or two images have the same label file, as "a.jpg" and "a.png" do.</exception>
    public void Save(string folder, IEnumerable<AnnotatedImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var labeled = new Dictionary<string, string>();
        foreach (var image in images)
        {
            if (!labeled.TryAdd(LabelFile(image.FileName), image.FileName))
                throw new ArgumentException($"'{labeled[LabelFile(image.FileName)]}' and '{image.FileName}' would have the same label file.", nameof(images));
            WriteLabels(folder, image);
        }
        WriteDataFile(folder);
    }

    /// <summary>A text in YAML's double quotes, with its special characters escaped.</summary>
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                _ when char.IsControl(c) => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }
}
