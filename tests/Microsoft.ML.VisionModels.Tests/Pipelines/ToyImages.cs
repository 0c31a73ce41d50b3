using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Small images of three classes that any classifier can learn: red, green and blue squares on noise.</summary>
internal static class ToyImages
{
    public const int Side = 16;
    public static readonly string[] Names = ["red", "green", "blue"];

    public sealed class Input
    {
        [ImageType(Side, Side)]
        public MLImage Image { get; set; } = null!;
        public string Label { get; set; } = "";
        public string Id { get; set; } = "";
    }

    /// <summary>An image of a class: 0 red, 1 green, 2 blue.</summary>
    public static MLImage Image(int color, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[Side * Side * 4];
        random.NextBytes(pixels);
        var (left, top) = (random.Next(Side / 2), random.Next(Side / 2));
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                var pixel = pixels.AsSpan(4 * (y * Side + x), 4);
                var inside = x >= left && x < left + Side / 2 && y >= top && y < top + Side / 2;
                for (var channel = 0; channel < 3; channel++)
                    pixel[channel] = (byte)(inside ? (channel == color ? 255 : 0) : pixel[channel] / 4);
                pixel[3] = 255;
            }
        }
        return MLImage.CreateFromPixels(Side, Side, MLPixelFormat.Rgba32, pixels);
    }

    public static List<Input> Rows(int count, int seed = 0) =>
        [.. Enumerable.Range(0, count).Select(i => new Input { Image = Image(i % 3, seed * 1000 + i), Label = Names[i % 3], Id = $"row {i}" })];

    public static IDataView View(MLContext context, int count, int seed = 0) => context.Data.LoadFromEnumerable(Rows(count, seed));
}
