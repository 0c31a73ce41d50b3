using System.Drawing;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Masks;

/// <summary>An image that lines, stars and boxes are drawn on.</summary>
internal sealed class OverlayCanvas : IDisposable
{
    private static readonly SKColor s_green = new(0, 200, 0), s_red = new(230, 0, 0);

    private readonly SKBitmap _bitmap;
    private readonly SKCanvas _canvas;
    private readonly float _unit;       // the unit of the sizes of marks, so that they look alike on small and large images

    public OverlayCanvas(RgbImage image)
    {
        _bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = Pixels;
        for (int i = 0, o = 0; i < image.Pixels.Length; i += 3, o += 4)
        {
            image.Pixels.AsSpan(i, 3).CopyTo(pixels[o..]);
            pixels[o + 3] = 255;
        }
        _canvas = new SKCanvas(_bitmap);
        _unit = Math.Max(1, Math.Min(image.Width, image.Height) / 250f);
    }

    /// <summary>Red, green, blue and alpha of each pixel, row by row.</summary>
    public unsafe Span<byte> Pixels => new((void*)_bitmap.GetPixels(), _bitmap.ByteCount);

    public void DrawContours(IReadOnlyList<MaskPolygon> polygons, SKColor color, float width)
    {
        using var path = new SKPath();
        foreach (var ring in polygons.SelectMany(polygon => polygon.Holes.Prepend(polygon.Outline)))
            path.AddPoly([.. ring.Select(corner => new SKPoint(corner.X, corner.Y))]);
        Stroke(path, color, width);
    }

    public void DrawBox(RectangleF box)
    {
        using var path = new SKPath();
        path.AddRect(new SKRect(box.Left, box.Top, box.Right, box.Bottom));
        Stroke(path, s_green, 2 * _unit);
    }

    /// <summary>Draws a star with five points and a white edge.</summary>
    public void DrawStar(PointF place, bool isForeground)
    {
        const int Corners = 10;
        var radius = 6 * _unit;
        using var path = new SKPath();
        path.AddPoly([.. Enumerable.Range(0, Corners).Select(i => Corner(i * 2 * MathF.PI / Corners, i % 2 == 0 ? radius : 0.4f * radius))]);
        using var paint = new SKPaint { Color = isForeground ? s_green : s_red, IsAntialias = true };
        _canvas.DrawPath(path, paint);
        Stroke(path, SKColors.White, _unit);

        SKPoint Corner(float angle, float distance) => new(place.X + distance * MathF.Sin(angle), place.Y - distance * MathF.Cos(angle));
    }

    public MLImage ToMLImage()
    {
        _canvas.Flush();
        return MLImage.CreateFromPixels(_bitmap.Width, _bitmap.Height, MLPixelFormat.Rgba32, Pixels);
    }

    public void WritePng(Stream stream)
    {
        _canvas.Flush();
        if (!_bitmap.Encode(stream, SKEncodedImageFormat.Png, 100))
            throw new IOException($"An image of {_bitmap.Width} x {_bitmap.Height} could not be encoded as PNG.");
    }

    public void Dispose()
    {
        _canvas.Dispose();
        _bitmap.Dispose();
    }

    private void Stroke(SKPath path, SKColor color, float width)
    {
        using var paint = new SKPaint { Color = color, IsAntialias = true, IsStroke = true, StrokeWidth = width, StrokeJoin = SKStrokeJoin.Round };
        _canvas.DrawPath(path, paint);
    }
}

/// <summary>A fixed sequence of colors that are easy to tell apart: hues a golden angle apart, in four shades.</summary>
internal static class MaskPalette
{
    private const double GoldenAngle = 137.50776405003785;

    private static readonly (float Saturation, float Value)[] s_shades = [(85, 100), (55, 100), (90, 65), (50, 75)];

    public static SKColor Color(int index)
    {
        var (saturation, value) = s_shades[index % s_shades.Length];
        return SKColor.FromHsv((float)(index * GoldenAngle % 360), saturation, value);
    }
}
