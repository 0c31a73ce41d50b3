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
        return "data:image/jpeg;base64," + Convert.ToBase64String(Jpeg(small, Quality));
    }

    /// <param name="image">The image.</param>
    /// <param name="quality">1 to 100.</param>
    public static byte[] Jpeg(RgbImage image, int quality)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Write(image.Pixels, bitmap);
        using var jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, quality);
        return jpeg.ToArray();
    }

    private static unsafe void Write(ReadOnlySpan<byte> rgb, SKBitmap bitmap)
    {
        var rgba = new Span<uint>((void*)bitmap.GetPixels(), bitmap.Width * bitmap.Height);
        for (int i = 0, o = 0; o < rgba.Length; i += 3, o++)
            rgba[o] = ImageDecoder.Opaque | (uint)(rgb[i] | rgb[i + 1] << 8 | rgb[i + 2] << 16);
    }
}
