using System.Runtime.InteropServices;
using Microsoft.ML.VisionModels.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Resizing that equals Pillow's against SkiaSharp's, in memory. Skia's low quality is plain bilinear, which aliases; high is bicubic or mipmaps.</summary>
internal static class Resize
{
    private const int Target = 224;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        foreach (var (width, height) in ((int, int)[])[(640, 480), (4000, 3000)])
        {
            var pixels = new byte[4 * width * height];
            new Random(3).NextBytes(pixels);
            var image = new RgbImage(width, height, pixels[..(3 * width * height)]);
            using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
            Marshal.Copy(pixels, 0, bitmap.GetPixels(), pixels.Length);

            foreach (var (filter, quality) in ((ResizeFilter, SKFilterQuality)[])[(ResizeFilter.Bilinear, SKFilterQuality.Low), (ResizeFilter.Bicubic, SKFilterQuality.High)])
            {
                foreach (var threads in arguments.Threads)
                {
                    sideBySide.Run($"resize {width}x{height} to {Target}x{Target}",
                        Contestant.Here($"{filter}", () => PillowResize.Resize(image, Target, Target, filter, maxThreads: threads)),
                        Contestant.Here($"SkiaSharp 2.88.9 {quality}", () => Skia(bitmap, quality)), threads, batch: 1);
                }
            }
        }
    }

    private static void Skia(SKBitmap bitmap, SKFilterQuality quality)
    {
        using var resized = bitmap.Resize(new SKImageInfo(Target, Target, SKColorType.Rgba8888, SKAlphaType.Opaque), quality);
    }
}
