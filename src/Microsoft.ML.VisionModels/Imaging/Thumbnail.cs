using SkiaSharp;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>Small images for pages.</summary>
internal static class Thumbnail
{
    private const int Quality = 80;

    /// <summary>The image, no side longer than <paramref name="side"/> pixels, as a JPEG in a data URI.</summary>
    public static string DataUri(RgbImage image, int side)
    {
        var scale = Math.Min(1, (double)side / Math.Max(image.Width, image.Height));
        var small = PillowResize.Resize(image, Math.Max(1, (int)Math.Round(image.Width * scale)), Math.Max(1, (int)Math.Round(image.Height * scale)), ResizeFilter.Bilinear, maxThreads: 1);
        using var bitmap = new SKBitmap(new SKImageInfo(small.Width, small.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Write(small.Pixels, bitmap);
        using var jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, Quality);
        return "data:image/jpeg;base64," + Convert.ToBase64String(jpeg.Span);
    }

    private static unsafe void Write(ReadOnlySpan<byte> rgb, SKBitmap bitmap)
    {
        var rgba = new Span<uint>((void*)bitmap.GetPixels(), bitmap.Width * bitmap.Height);
        for (int i = 0, o = 0; o < rgba.Length; i += 3, o++)
            rgba[o] = ImageDecoder.Opaque | (uint)(rgb[i] | rgb[i + 1] << 8 | rgb[i + 2] << 16);
    }
}
