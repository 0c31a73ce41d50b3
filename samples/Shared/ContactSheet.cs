using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels;
using SkiaSharp;

namespace Samples;

/// <summary>Images side by side, each with what is said of it, as a PNG.</summary>
internal static class ContactSheet
{
    private const int Side = 120, Caption = 34, Gap = 10;

    /// <summary>An image and what is said of it.</summary>
    /// <param name="Path">The image's file.</param>
    /// <param name="Title">Below it.</param>
    /// <param name="Detail">Below that, small.</param>
    /// <param name="Share">The length of a bar, 0 to 1.</param>
    public sealed record Tile(string Path, string Title, string Detail, float Share);

    public static void Write(IReadOnlyList<Tile> tiles, string path, int columns = 8)
    {
        var rows = (tiles.Count + columns - 1) / columns;
        using var surface = SKSurface.Create(new SKImageInfo(Gap + columns * (Side + Gap), Gap + rows * (Side + Caption + Gap)));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        using var word = new SKPaint { Color = new SKColor(17, 24, 39), TextSize = 15, IsAntialias = true };
        using var small = new SKPaint { Color = new SKColor(107, 114, 128), TextSize = 12, IsAntialias = true };
        using var bar = new SKPaint { Color = new SKColor(37, 99, 235) };
        for (var i = 0; i < tiles.Count; i++)
        {
            var (left, top) = (Gap + i % columns * (Side + Gap), Gap + i / columns * (Side + Caption + Gap));
            Draw(canvas, tiles[i].Path, left, top);
            canvas.DrawRect(left, top + Side + 1, Side * Math.Clamp(tiles[i].Share, 0, 1), 3, bar);
            canvas.DrawText(Shortened(tiles[i].Title, word), left, top + Side + 19, word);
            canvas.DrawText(tiles[i].Detail, left, top + Side + 33, small);
        }
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        using var file = File.Create(path);
        png.SaveTo(file);
    }

    /// <summary>The image as the network sees it, the right way up, in the middle of its square; tiny ones pixel by pixel.</summary>
    private static void Draw(SKCanvas canvas, string path, int left, int top)
    {
        using var loaded = VisionImage.Load(path);
        using var bitmap = new SKBitmap(loaded.Width, loaded.Height, loaded.PixelFormat == MLPixelFormat.Rgba32 ? SKColorType.Rgba8888 : SKColorType.Bgra8888, SKAlphaType.Unpremul);
        Marshal.Copy(loaded.Pixels.ToArray(), 0, bitmap.GetPixels(), bitmap.ByteCount);
        var scale = (float)Side / Math.Max(bitmap.Width, bitmap.Height);
        var (width, height) = (bitmap.Width * scale, bitmap.Height * scale);
        using var paint = new SKPaint { FilterQuality = scale > 2 ? SKFilterQuality.None : SKFilterQuality.High };
        canvas.DrawBitmap(bitmap, SKRect.Create(left + (Side - width) / 2, top + (Side - height) / 2, width, height), paint);
    }

    private static string Shortened(string text, SKPaint paint)
    {
        var length = (int)paint.BreakText(text, Side);
        return length < text.Length ? text[..Math.Max(0, length - 1)] + "…" : text;
    }
}
