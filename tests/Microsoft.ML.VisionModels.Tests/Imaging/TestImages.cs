using Microsoft.ML.VisionModels.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

/// <summary>Images of noise, and files made from them.</summary>
internal static class TestImages
{
    public static RgbImage Noise(int width, int height, int seed = 1)
    {
        var image = new RgbImage(width, height);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }

    public static byte[] Encode(RgbImage image, SKEncodedImageFormat format, int quality = 90)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
            {
                var pixel = image.Row(y).Slice(3 * x, 3);
                bitmap.SetPixel(x, y, new SKColor(pixel[0], pixel[1], pixel[2]));
            }
        }
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    /// <summary>The checksum of a PNG's chunk, from its name on.</summary>
    public static uint PngChecksum(ReadOnlySpan<byte> chunk)
    {
        var sum = uint.MaxValue;
        foreach (var value in chunk)
        {
            sum ^= value;
            for (var bit = 0; bit < 8; bit++)
                sum = (sum >> 1) ^ (0xedb88320 & (uint)-(int)(sum & 1));
        }
        return ~sum;
    }

    /// <summary>The files of a folder that are images by their names.</summary>
    public static IEnumerable<string> In(string folder) =>
        Directory.GetFiles(folder).Where(file => ImageDecoder.FileExtensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal);

    /// <summary>The image of this name, whatever its format.</summary>
    public static string Find(string folder, string name) => In(folder).Single(file => Path.GetFileNameWithoutExtension(file) == name);

    /// <summary>Writes a PNG and makes the folders on the way.</summary>
    public static void Save(RgbImage image, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Encode(image, SKEncodedImageFormat.Png));
    }
}
