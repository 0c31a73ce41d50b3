using System.Reflection;
using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Segments a folder's images one by one, each of which is written down when it is done, and makes data sets of them.</summary>
internal sealed class SamFolderLabeler(SamFinder finder, SamEverythingOptions settings, IReadOnlyList<string>? classes, SamLabelOptions options)
{
    private readonly string[] _categories = classes is null ? [options.Category] : [.. classes];

    public SamLabelResult Label(string folder, string output)
    {
        var names = ImageFile.FindNames(folder);
        if (options.Yolo)
            CheckLabelFiles(names);
        Directory.CreateDirectory(output);
        CheckSameWork(Path.Combine(output, "labeling.json"));

        var store = new AnnotationStore(Path.Combine(output, "masks"));
        List<string> unreadable = [];
        var segments = 0;
        foreach (var (i, name) in names.Index())
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            var isResumed = store.Contains(name);
            var image = isResumed ? store.Read(name) : Segment(folder, name);
            if (image is null)
                unreadable.Add(name);
            else if (!isResumed)
                store.Write(image);
            segments += image?.Annotations.Count ?? 0;
            options.Progress?.Report(new(name, i + 1, names.Length, image?.Annotations.Count, isResumed));
        }

        // Not all that the store has: images may have gone since.
        var labeled = names.Except(unreadable).Select(store.Read);
        if (options.Coco)
            new CocoDataset(_categories) { Segmentation = options.CocoSegmentation }.Save(Path.Combine(output, "annotations.json"), labeled);
        if (options.Yolo)
            new YoloDataset(_categories).Save(output, labeled);
        return new(names.Length - unreadable.Count, segments, unreadable);
    }

    private AnnotatedImage? Segment(string folder, string name)
    {
        try
        {
            return ImageDecoder.Decode(Path.Combine(folder, name), image => new AnnotatedImage(name, image.Height, image.Width,
                [.. finder.Find(image, cancellation: options.CancellationToken).Select(segment => segment.ToAnnotation(CategoryOf(segment)))]));
        }
        catch (ImageDecodeException) when (options.SkipInvalidImages)
        {
            return null;
        }
    }

    private int CategoryOf(SamSegment segment) => segment.Label is null ? 0 : Array.IndexOf(_categories, segment.Label);

    /// <summary>Before hours of work, not after them.</summary>
    private static void CheckLabelFiles(string[] names)
    {
        if (names.GroupBy(YoloDataset.LabelFile).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new InvalidOperationException($"'{string.Join("' and '", same)}' would have the same label file, {same.Key}. Rename one, or do without Yolo.");
    }

    /// <summary>Images that were labeled in another way are not mixed with those to come.</summary>
    private void CheckSameWork(string file)
    {
        // Batches change memory alone.
        var work = JsonSerializer.Serialize(new
        {
            Categories = _categories,
            Settings = typeof(SamEverythingOptions).GetProperties(BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.PropertyType.IsPrimitive && property.Name != nameof(settings.PointsPerBatch))
                .ToDictionary(property => property.Name, property => property.GetValue(settings)),
        });
        if (!Path.Exists(file))
            AtomicFile.WriteText(file, work);
        else if (InputFile.ReadText(file) != work)
            throw new InvalidOperationException($"{Path.GetDirectoryName(file)} holds images that were labeled with other categories or settings, see {file}. Choose another folder, or delete it.");
    }
}
