using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>A folder of images among which copies were planted: each eighth image has three, one smaller, one compressed again, one cut by a twentieth.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Sources">The image that each file was made of; itself, of an image that was there.</param>
internal sealed record PlantedFolder(string Folder, IReadOnlyDictionary<string, string> Sources)
{
    private const int EachOf = 8, Copies = 3;

    /// <param name="sources">Folders with images, at whatever depth.</param>
    /// <param name="folder">Where the images go; it must not be there yet.</param>
    /// <param name="images">How many, the copies included; fewer where the sources have fewer.</param>
    public static PlantedFolder Plant(IEnumerable<string> sources, string folder, int images)
    {
        if (Directory.Exists(folder))
            throw new ArgumentException($"{folder} is there already; name another with --target.");
        Directory.CreateDirectory(folder);
        var random = new Random(1);
        string[] found = [.. sources.SelectMany(source => Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories)).Where(IsImage).Order(StringComparer.Ordinal)];
        random.Shuffle(found);
        var kept = found.Take(images * EachOf / (EachOf + Copies)).ToArray();

        var files = new Dictionary<string, string>();
        foreach (var (i, source) in kept.Index())
        {
            var name = Path.Combine(folder, $"{i:00000}{Path.GetExtension(source).ToLowerInvariant()}");
            var image = ImageDecoder.Decode(source, keepAlpha: true);
            if (image.Alpha is { } alpha)
            {
                // Many drawings have one color, and are drawn by their alpha alone.
                image = OverWhite(image, alpha);
                File.WriteAllBytes(name = Path.ChangeExtension(name, ".jpg"), Thumbnail.Jpeg(image, 95));
            }
            else
                File.Copy(source, name);
            files[name] = name;
            if (i % EachOf != 0)
                continue;
            foreach (var (change, jpeg) in Changes(image, random))
            {
                var copy = Path.Combine(folder, $"{i:00000}-{change}.jpg");
                File.WriteAllBytes(copy, jpeg);
                files[copy] = name;
            }
        }
        return new(folder, files);
    }

    /// <summary>Precision and recall over pairs of images: those that are in one group, and those that were made of one image.</summary>
    public (double Precision, double Recall) Judge(Duplicates found)
    {
        var (right, all) = (0L, 0L);
        foreach (var group in found.Groups)
        {
            all += Pairs(group.Ids.Count);
            right += group.Ids.GroupBy(id => Sources[id]).Sum(same => Pairs(same.Count()));
        }
        return (all == 0 ? double.NaN : (double)right / all, (double)right / Sources.Values.CountBy(source => source).Sum(same => Pairs(same.Value)));

        static long Pairs(long count) => count * (count - 1) / 2;
    }

    /// <summary>The share of planted copies of a kind that are in one group with their source.</summary>
    public double Recall(Duplicates found, string change)
    {
        var groups = found.Groups.Index().SelectMany(group => group.Item.Ids.Select(id => (Id: id, group.Index))).ToDictionary(row => row.Id, row => row.Index);
        return Sources.Where(file => file.Key.EndsWith($"-{change}.jpg", StringComparison.Ordinal))
            .Average(file => groups.TryGetValue(file.Key, out var group) && groups.TryGetValue(file.Value, out var own) && group == own ? 1.0 : 0);
    }

    private static IEnumerable<(string Change, byte[] Jpeg)> Changes(RgbImage image, Random random)
    {
        var scale = 0.5 + 0.3 * random.NextDouble();
        yield return ("smaller", Thumbnail.Jpeg(PillowResize.Resize(image, Scaled(image.Width, scale), Scaled(image.Height, scale), ResizeFilter.Bicubic), 90));
        yield return ("compressed", Thumbnail.Jpeg(image, 40));
        var (width, height) = (Scaled(image.Width, 0.95), Scaled(image.Height, 0.95));
        yield return ("cut", Thumbnail.Jpeg(image.Window(random.Next(image.Width - width + 1), random.Next(image.Height - height + 1), width, height), 90));
    }

    private static RgbImage OverWhite(RgbImage image, byte[] alpha) =>
        new(image.Width, image.Height, [.. image.Pixels.Select((value, i) => (byte)((value * alpha[i / 3] + 255 * (255 - alpha[i / 3]) + 127) / 255))]);

    private static int Scaled(int length, double scale) => Math.Max(1, (int)Math.Round(length * scale));

    private static bool IsImage(string path) => ImageDecoder.FileExtensions.Contains(Path.GetExtension(path).ToLowerInvariant()) && IsReadable(path);

    private static bool IsReadable(string path)
    {
        try
        {
            return ImageDecoder.Decode(path, image => Math.Min(image.Width, image.Height) >= 8);
        }
        catch (ImageDecodeException)
        {
            return false;
        }
    }
}
