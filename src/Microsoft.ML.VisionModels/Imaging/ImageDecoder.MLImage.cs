using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The way from and to ML.NET's images.</summary>
internal static partial class ImageDecoder
{
    /// <summary>The alpha bits of an opaque 32-bit pixel.</summary>
    public const uint Opaque = 0xff000000;

    // What an image of this package's had in its file and an MLImage cannot hold. Other images are not in the table.
    private static readonly ConditionalWeakTable<MLImage, RgbImage> s_origins = [];
    private static readonly RgbImage s_plain = new(1, 1);

    /// <remarks>
    /// ML.NET multiplies colors with alpha when it loads a file, but an <see cref="MLImage"/> does not say whether that was done. In a
    /// premultiplied image no color exceeds its alpha. Where this holds, the colors are divided by alpha again, as precisely as 8 bits
    /// allow; images that are opaque, or black where they are transparent, come out the same either way. Other images are taken as they
    /// are. Fully transparent pixels stay black.
    /// </remarks>
    public static RgbImage FromMLImage(MLImage image)
    {
        var pixels = image.Pixels;
        var (red, blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        var rgb = RgbImage.Uninitialized(image.Width, image.Height);
        var target = rgb.Pixels;
        var (opaque, premultiplied) = (true, true);
        for (int i = 0, o = 0; o < target.Length; i += 4, o += 3)
        {
            var pixel = pixels.Slice(i, 4);
            var alpha = pixel[3];
            opaque &= alpha == 255;
            premultiplied &= pixel[0] <= alpha && pixel[1] <= alpha && pixel[2] <= alpha;
            target[o] = pixel[red];
            target[o + 1] = pixel[1];
            target[o + 2] = pixel[blue];
        }
        if (s_origins.TryGetValue(image, out var origin))
            return origin == s_plain ? rgb : new(rgb.Width, rgb.Height, rgb.Pixels) { Alpha = origin.Alpha, HasPalette = origin.HasPalette };
        if (opaque)
            return rgb;
        if (premultiplied)
            DivideByAlpha(pixels, target);
        var alphas = new byte[target.Length / 3];
        for (var i = 0; i < alphas.Length; i++)
            alphas[i] = pixels[4 * i + 3];
        return new(rgb.Width, rgb.Height, target) { Alpha = alphas };
    }

    private static void DivideByAlpha(ReadOnlySpan<byte> pixels, Span<byte> rgb)
    {
        for (var o = 0; o < rgb.Length; o++)
        {
            var alpha = pixels[o / 3 * 4 + 3];
            if (alpha is not (0 or 255))
                rgb[o] = (byte)((rgb[o] * 255 + alpha / 2) / alpha);
        }
    }

    /// <summary>An opaque image for ML.NET; what it cannot hold is found again by <see cref="FromMLImage"/>.</summary>
    public static MLImage ToMLImage(RgbImage image)
    {
        var made = ToMLImage(image.Width, image.Height, rgba =>
        {
            var rgb = image.Pixels;
            for (int i = 0, o = 0; o < rgba.Length; i += 3, o++)
                rgba[o] = Opaque | (uint)(rgb[i] | rgb[i + 1] << 8 | rgb[i + 2] << 16);
        });
        s_origins.Add(made, image.Alpha is null && !image.HasPalette ? s_plain : new(1, 1) { Alpha = image.Alpha, HasPalette = image.HasPalette });
        return made;
    }

    /// <summary>Makes an image from pixels that a function writes.</summary>
    /// <param name="width">The image's width.</param>
    /// <param name="height">The image's height.</param>
    /// <param name="write">Writes all pixels, row by row: red in the lowest byte, then green, blue and alpha.</param>
    public static unsafe MLImage ToMLImage(int width, int height, Action<Span<uint>> write)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        write(new Span<uint>((void*)bitmap.GetPixels(), width * height));
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, bitmap.GetPixelSpan());
    }

    /// <summary>
    /// Whether ML.NET read an image from the file that its tag names, as its LoadImages does, and lost what this package reads there:
    /// the orientation, the colors under alpha. Only an image that still is what ML.NET makes of the file counts, as other transforms
    /// of ML.NET hand the tag on.
    /// </summary>
    public static bool IsWorseThanItsFile(MLImage image)
    {
        if (string.IsNullOrEmpty(image.Tag) || s_origins.TryGetValue(image, out _) || !File.Exists(image.Tag))
            return false;
        try
        {
            var file = ImagePath.Read(image.Tag);
            if (ExifOrientation.Of(file) == ExifOrientation.Upright && IsOpaque(image.Pixels))
                return false;
            using var again = MLImage.CreateFromStream(new MemoryStream(file));
            return again.Width == image.Width && again.Height == image.Height && again.PixelFormat == image.PixelFormat && again.Pixels.SequenceEqual(image.Pixels);
        }
        catch (Exception e) when (e is ImageDecodeException or ArgumentException or InvalidOperationException)
        {
            return false;   // the image is there, its file is not any more
        }
    }

    private static bool IsOpaque(ReadOnlySpan<byte> pixels)
    {
        foreach (var pixel in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(pixels))
        {
            if (pixel < Opaque)
                return false;
        }
        return true;
    }

    /// <summary>The bytes of a PNG file.</summary>
    public static byte[] EncodePng(MLImage image)
    {
        var pixels = FromMLImage(image);
        var rgba = new byte[4 * pixels.Width * pixels.Height];
        for (int i = 0, o = 0; o < rgba.Length; i += 3, o += 4)
            (rgba[o], rgba[o + 1], rgba[o + 2], rgba[o + 3]) = (pixels.Pixels[i], pixels.Pixels[i + 1], pixels.Pixels[i + 2], byte.MaxValue);
        using var made = SKImage.FromPixelCopy(new SKImageInfo(pixels.Width, pixels.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), rgba);
        using var data = made.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }
}
