using System.Globalization;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Writes annotated pictures as Ultralytics' tools want them for segmentation: beside a folder "images" with the pictures, which is left
/// to the caller, a folder "labels" with a text file for each picture, and "data.yaml" with the names.
/// </summary>
/// <remarks>
/// Each object is one line: its category, from 0 on, and the corners of one polygon, x and y in turn, divided by the picture's width and
/// height. An object of several parts or with holes is made one polygon by bridges without width, see <see cref="MaskPolygon.Join"/>;
/// Ultralytics draws polygons with their edges, so that bridges come back one pixel wide. Masks without pixels are left out; a picture
/// without masks has an empty file.
/// </remarks>
public sealed class YoloDataset
{
    private readonly IReadOnlyList<string> _categories;

    /// <param name="categories">The names of the categories.</param>
    /// <exception cref="ArgumentException">There are none, or one is empty.</exception>
    public YoloDataset(IReadOnlyList<string> categories) => _categories = CocoDataset.CheckCategories(categories);

    /// <summary>By how many pixels polygons may be off; 0 keeps them exact. Default 1.</summary>
    public double Tolerance { get; init; } = 1;

    /// <summary>Where a picture's labels are, within the data set's folder: "labels/a/b.txt" for a picture "a/b.jpg".</summary>
    /// <param name="fileName">The picture's path within the folder "images".</param>
    public static string LabelFile(string fileName) => $"labels/{Path.ChangeExtension(AnnotatedPicture.Normalize(fileName), ".txt")}";

    /// <summary>The lines of a picture's label file.</summary>
    /// <exception cref="ArgumentException">An annotation's category has no name.</exception>
    public string ToLabels(AnnotatedPicture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var lines = new StringBuilder();
        foreach (var annotation in picture.Visible(_categories.Count))
        {
            lines.Append(CultureInfo.InvariantCulture, $"{annotation.Category}");
            foreach (var corner in MaskPolygon.Join(annotation.Mask.ToPolygons(Tolerance)))
                lines.Append(CultureInfo.InvariantCulture, $" {(double)corner.X / picture.Width:0.######} {(double)corner.Y / picture.Height:0.######}");
            lines.Append('\n');
        }
        return lines.ToString();
    }

    /// <summary>Writes a picture's label file, under a temporary name first.</summary>
    /// <param name="folder">The data set's folder.</param>
    /// <param name="picture">The picture and its masks.</param>
    /// <exception cref="ArgumentException">An annotation's category has no name.</exception>
    public void WriteLabels(string folder, AnnotatedPicture picture)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var labels = ToLabels(picture);
        var path = Path.Combine(folder, LabelFile(picture.FileName));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteText(path, labels);
    }

    /// <summary>Writes "data.yaml".</summary>
    /// <param name="folder">The data set's folder, which is made where it is not there.</param>
    /// <param name="train">The folder of pictures to train on. Default "images".</param>
    /// <param name="validation">The folder of pictures to validate on. Default "images".</param>
    public void WriteDataFile(string folder, string train = "images", string validation = "images")
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var text = new StringBuilder($"train: {Quoted(train)}\nval: {Quoted(validation)}\nnames:\n");
        foreach (var (index, name) in _categories.Index())
            text.Append(CultureInfo.InvariantCulture, $"  {index}: {Quoted(name)}\n");
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "data.yaml"), text.ToString());
    }

    /// <summary>Writes the label files of all pictures, and "data.yaml".</summary>
    /// <param name="folder">The data set's folder.</param>
    /// <param name="pictures">The pictures, gone over once and not kept: <see cref="AnnotationStore.ReadAll"/>, or a list.</param>
    /// <exception cref="ArgumentException">An annotation's category has no name, or two pictures have one label file, as "a.jpg" and "a.png" have.</exception>
    public void Save(string folder, IEnumerable<AnnotatedPicture> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        var labelled = new Dictionary<string, string>();
        foreach (var picture in pictures)
        {
            if (!labelled.TryAdd(LabelFile(picture.FileName), picture.FileName))
                throw new ArgumentException($"'{labelled[LabelFile(picture.FileName)]}' and '{picture.FileName}' would have the same label file.", nameof(pictures));
            WriteLabels(folder, picture);
        }
        WriteDataFile(folder);
    }

    /// <summary>A text of YAML that means itself, whatever it is.</summary>
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
