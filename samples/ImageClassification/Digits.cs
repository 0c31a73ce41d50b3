using System.IO.Compression;
using Microsoft.ML.Data;

namespace Samples;

/// <summary>The 1,797 handwritten digits that come with this sample (see data/LICENSE.md).</summary>
internal static class Digits
{
    private const int Side = 8;
    private const int Ink = 16;

    /// <summary>Writes the digits as images, a folder per class as a user's own data would be, and returns the folder.</summary>
    public static string Unpack(string folder)
    {
        var data = Path.Combine(AppContext.BaseDirectory, "data", "digits.csv.gz");
        using var reader = new StreamReader(new GZipStream(File.OpenRead(data), CompressionMode.Decompress));
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            var values = line.Split(',').Select(int.Parse).ToArray();
            var digitFolder = Directory.CreateDirectory(Path.Combine(folder, $"{values[^1]}"));
            using var image = ToImage(values.AsSpan(0, Side * Side));
            image.Save(Path.Combine(digitFolder.FullName, $"{number:0000}.png"));
        }

        return folder;
    }

    private static MLImage ToImage(ReadOnlySpan<int> values)
    {
        var pixels = new byte[Side * Side * 4];
        for (var i = 0; i < values.Length; i++)
        {
            var gray = (byte)(values[i] * 255 / Ink);
            pixels.AsSpan(i * 4, 3).Fill(gray);
            pixels[i * 4 + 3] = 255;
        }

        return MLImage.CreateFromPixels(Side, Side, MLPixelFormat.Rgba32, pixels);
    }
}
