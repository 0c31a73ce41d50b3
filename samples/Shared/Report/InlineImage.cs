using Microsoft.ML.VisionModels;
using SkiaSharp;

namespace Samples.Report;

/// <summary>Images for the page, inside the page: data URIs.</summary>
internal static class InlineImage
{
    private const int LargestSide = 240;
    private const int TinySide = 64;

    /// <summary>An img element of the image in a file, shrunk to what the page shows.</summary>
    public static string Element(string path)
    {
        using var bitmap = Thumbnail(path);
        return bitmap is null ? "<div class='broken'>not readable</div>" : Element(bitmap);
    }

    /// <summary>The image under a map of where the answer comes from.</summary>
    public static string Overlay(string path, float[] map, ImagePreprocessing preprocessing)
    {
        using var bitmap = Thumbnail(path);
        if (bitmap is null)
            return "";
        var (width, height) = SeenShare(bitmap, preprocessing);
        var (x, y) = ((1 - width) * 50, (1 - height) * 50);
        return $"<div class='overlay'>{Element(bitmap)}<div class='heat' style='inset:{y:0.#}% {x:0.#}%'>{HeatMap(map, preprocessing)}</div></div>";
    }

    /// <summary>How much of the width and the height the network sees: a preprocessing that crops shows it the middle alone.</summary>
    private static (double Width, double Height) SeenShare(SKBitmap bitmap, ImagePreprocessing preprocessing)
    {
        if (preprocessing is not { Resize: ImageResize.ShortestEdge resize, CenterCrop: { } crop })
            return (1, 1);
        var scale = (double)resize.Length / Math.Min(bitmap.Width, bitmap.Height);
        return (Math.Min(1, crop.Width / (scale * bitmap.Width)), Math.Min(1, crop.Height / (scale * bitmap.Height)));
    }

    private static string HeatMap(float[] values, ImagePreprocessing preprocessing)
    {
        // The map's rows and columns are to each other as the network's input.
        var wide = (double)(preprocessing.OutputWidth ?? 1) / (preprocessing.OutputHeight ?? 1);
        var columns = (int)Math.Round(Math.Sqrt(values.Length * wide));
        var rows = values.Length / columns;

        // A single patch that draws everything, as transformers often have, must not darken the rest.
        var sorted = values.Order().ToArray();
        var (low, high) = (sorted[sorted.Length / 20], sorted[sorted.Length * 97 / 100]);
        using var bitmap = new SKBitmap(new SKImageInfo(columns, rows, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var i = 0; i < rows * columns; i++)
            bitmap.SetPixel(i % columns, i / columns, Glow(high > low ? Math.Clamp((values[i] - low) / (high - low), 0, 1) : 0));
        return Element(bitmap, SKEncodedImageFormat.Png, "");
    }

    /// <summary>From a shade of violet over orange to a strong yellow.</summary>
    private static SKColor Glow(float value) => new(
        (byte)(90 + 165 * Math.Min(1, value * 1.6f)),
        (byte)(220 * MathF.Pow(value, 1.4f)),
        (byte)(150 * (1 - value)),
        (byte)(50 + 150 * value));

    /// <summary>The image, upright, no larger than the page shows it; null where it cannot be read.</summary>
    private static SKBitmap? Thumbnail(string path)
    {
        using var codec = SKCodec.Create(path);
        using var bitmap = codec is null ? null : SKBitmap.Decode(codec);
        if (bitmap is null)
            return null;
        var scale = Math.Min(1f, (float)LargestSide / Math.Max(bitmap.Width, bitmap.Height));
        var (width, height) = (Math.Max(1, (int)(bitmap.Width * scale)), Math.Max(1, (int)(bitmap.Height * scale)));
        var quarters = codec!.EncodedOrigin switch
        {
            SKEncodedOrigin.RightTop => 1,
            SKEncodedOrigin.BottomRight => 2,
            SKEncodedOrigin.LeftBottom => 3,
            _ => 0,
        };
        using var small = bitmap.Resize(new SKImageInfo(width, height), SKFilterQuality.Medium);
        var upright = quarters % 2 == 0 ? new SKBitmap(width, height) : new SKBitmap(height, width);
        using var canvas = new SKCanvas(upright);
        canvas.Translate(upright.Width / 2f, upright.Height / 2f);
        canvas.RotateDegrees(90 * quarters);
        canvas.DrawBitmap(small, -width / 2f, -height / 2f);
        return upright;
    }

    /// <summary>A tiny image is shown pixel by pixel; a photograph is a tenth of the size as JPEG.</summary>
    private static string Element(SKBitmap bitmap) => Math.Max(bitmap.Width, bitmap.Height) <= TinySide
        ? Element(bitmap, SKEncodedImageFormat.Png, "pixelated")
        : Element(bitmap, SKEncodedImageFormat.Jpeg, "photo");

    private static string Element(SKBitmap bitmap, SKEncodedImageFormat format, string style)
    {
        using var encoded = bitmap.Encode(format, quality: 82);
        var type = format == SKEncodedImageFormat.Png ? "png" : "jpeg";
        return $"<img class='{style}' alt='' src='data:image/{type};base64,{Convert.ToBase64String(encoded.ToArray())}'>";
    }
}
