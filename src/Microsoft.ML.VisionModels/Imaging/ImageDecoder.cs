using System.Runtime.Intrinsics;
using Microsoft.ML.Data;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Files and <see cref="MLImage"/>s to RGB and back. Colors are those of Pillow's <c>convert("RGB")</c>: alpha is dropped rather
/// than blended with a background, gray is replicated, palettes are looked up, color profiles are not applied.
/// Photographs are turned upright by their EXIF orientation. Of an animation the first frame counts.
/// </summary>
internal static class ImageDecoder
{
    /// <summary>The most pixels that an image may have, as in Pillow: a small file can claim more memory than there is.</summary>
    public const long MaxPixels = 178_956_970;

    /// <summary>The alpha of a pixel of 32 bits.</summary>
    public const uint Opaque = 0xff000000;

    /// <summary>What files with images are called, in lower case.</summary>
    public static readonly string[] FileExtensions = [".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".ico", ".wbmp"];

    /// <exception cref="ImageDecodeException">The file cannot be read, or is no complete image.</exception>
    public static RgbImage Decode(string path)
    {
        byte[] encoded;
        try
        {
            encoded = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var reason = error is FileNotFoundException or DirectoryNotFoundException ? "there is no such file." : error.Message;
            throw new ImageDecodeException(path, reason, error);
        }
        return Decode(encoded, path);
    }

    /// <param name="encoded">The bytes of an image file.</param>
    /// <param name="name">What errors call the image.</param>
    /// <exception cref="ImageDecodeException">The bytes are no complete image.</exception>
    public static unsafe RgbImage Decode(ReadOnlySpan<byte> encoded, string name)
    {
        if (encoded.IsEmpty)
            throw new ImageDecodeException(name, "it is empty.");

        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = SKCodec.Create(data) ?? throw new ImageDecodeException(name, "it is in no image format that is supported, or damaged.");
            return Decode(codec, name);
        }
    }

    private static RgbImage Decode(SKCodec codec, string name)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width <= 0 || height <= 0)
            throw new ImageDecodeException(name, $"its size is {width} x {height}.");
        if ((long)width * height > MaxPixels)
            throw new ImageDecodeException(name, $"its {width} x {height} pixels are more than the {MaxPixels} that are allowed.");

        // Colors beside their alpha, not multiplied with it: dropping alpha then leaves the file's own colors.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        using var rgba = new SKBitmap(info);
        var result = codec.GetPixels(info, rgba.GetPixels());
        return result == SKCodecResult.Success
            ? Upright(rgba.GetPixelSpan(), width, height, codec.EncodedOrigin)
            : throw new ImageDecodeException(name, Describe(result));
    }

    private static string Describe(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "it is truncated.",
        SKCodecResult.ErrorInInput => "its data are damaged.",
        _ => $"decoding failed ({result}).",
    };

    /// <summary>Drops alpha, and turns the image as its origin says: where its first row and first column are when it stands upright.</summary>
    private static RgbImage Upright(ReadOnlySpan<byte> rgba, int width, int height, SKEncodedOrigin origin)
    {
        // From one upright pixel to the next in a row, and to the next row, in pixels of the source.
        var (right, bottom) = (width - 1, (height - 1) * width);
        var (start, stepX, stepY) = origin switch
        {
            SKEncodedOrigin.TopRight => (right, -1, width),
            SKEncodedOrigin.BottomRight => (right + bottom, -1, -width),
            SKEncodedOrigin.BottomLeft => (bottom, 1, -width),
            SKEncodedOrigin.LeftTop => (0, width, 1),
            SKEncodedOrigin.RightTop => (bottom, -width, 1),
            SKEncodedOrigin.RightBottom => (right + bottom, -width, -1),
            SKEncodedOrigin.LeftBottom => (right, width, -1),
            _ => (0, 1, width),
        };
        var turned = Math.Abs(stepX) != 1;
        if (turned)
            (width, height) = (height, width);

        var image = RgbImage.Uninitialized(width, height);
        for (var y = 0; y < height; y++)
            CopyRow(rgba, start + y * stepY, stepX, image.Row(y));
        return image;
    }

    /// <summary>Copies every <paramref name="step"/>th pixel from <paramref name="start"/> on, without its alpha.</summary>
    private static void CopyRow(ReadOnlySpan<byte> rgba, int start, int step, Span<byte> rgb)
    {
        var i = 0;
        if (step == 1 && Vector128.IsHardwareAccelerated)
        {
            // Four pixels at a time; what the store writes beyond them is overwritten by the next.
            var withoutAlpha = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
            for (; i + 16 <= rgb.Length; i += 12, start += 4)
                Vector128.Shuffle(Vector128.Create(rgba.Slice(4 * start, 16)), withoutAlpha).CopyTo(rgb[i..]);
        }
        for (; i < rgb.Length; i += 3, start += step)
            rgba.Slice(4 * start, 3).CopyTo(rgb[i..]);
    }

    /// <remarks>
    /// ML.NET multiplies colors with alpha when it loads a file, and says so nowhere. An image in which no color exceeds its alpha
    /// can only be such a one (or opaque, or black where it is transparent, for which it makes no difference), and its colors are
    /// divided by alpha, to the precision that is left; any other is taken as it is. Fully transparent pixels stay black.
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
        if (premultiplied && !opaque)
            DivideByAlpha(pixels, target);
        return rgb;
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

    public static MLImage ToMLImage(RgbImage image) => ToMLImage(image.Width, image.Height, rgba =>
    {
        var rgb = image.Pixels;
        for (int i = 0, o = 0; o < rgba.Length; i += 3, o++)
            rgba[o] = Opaque | (uint)(rgb[i] | rgb[i + 1] << 8 | rgb[i + 2] << 16);
    });

    /// <summary>An image as it is written.</summary>
    /// <param name="width">Its columns.</param>
    /// <param name="height">Its rows.</param>
    /// <param name="write">Writes all pixels, row by row: red in the lowest byte, then green, blue and alpha.</param>
    public static unsafe MLImage ToMLImage(int width, int height, Action<Span<uint>> write)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        write(new Span<uint>((void*)bitmap.GetPixels(), width * height));
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, bitmap.GetPixelSpan());
    }
}
