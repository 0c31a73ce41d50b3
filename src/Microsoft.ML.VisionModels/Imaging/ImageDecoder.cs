using System.Runtime.Intrinsics;
using Microsoft.ML.Data;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Turns files and <see cref="MLImage"/>s into RGB and back. Colors are those of Pillow's <c>convert("RGB")</c>: alpha is dropped rather
/// than blended with a background, gray is replicated, palettes are looked up, color profiles are not applied. Photographs are turned
/// upright by their EXIF orientation. Of an animation, the first frame is taken.
/// </summary>
internal static class ImageDecoder
{
    /// <summary>The most pixels that an image may have, Pillow's limit: a small file can claim a size for which there is no memory.</summary>
    public const long MaxPixels = 178_956_970;

    /// <summary>The alpha bits of an opaque 32-bit pixel.</summary>
    public const uint Opaque = 0xff000000;

    /// <summary>The extensions of image files, in lower case.</summary>
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
    /// <param name="name">The image's name in error messages.</param>
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

        // Unpremultiplied, so that dropping alpha leaves the colors of the file.
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

    /// <summary>Drops alpha, and turns the image upright. The origin says on which sides of the upright image the file's first row and first column are.</summary>
    private static RgbImage Upright(ReadOnlySpan<byte> rgba, int width, int height, SKEncodedOrigin origin)
    {
        // The source pixel of the upright image's first pixel, and the steps in the source to the next pixel of a row and to the next row.
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
            // Four pixels at a time. Each store writes four bytes too many, which the next one overwrites.
            var withoutAlpha = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
            for (; i + 16 <= rgb.Length; i += 12, start += 4)
                Vector128.Shuffle(Vector128.Create(rgba.Slice(4 * start, 16)), withoutAlpha).CopyTo(rgb[i..]);
        }
        for (; i < rgb.Length; i += 3, start += step)
            rgba.Slice(4 * start, 3).CopyTo(rgb[i..]);
    }

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
}

/// <summary>An image in memory: interleaved RGB, three bytes a pixel, rows from top to bottom without padding.</summary>
internal sealed class RgbImage
{
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (pixels.LongLength != 3L * width * height)
            throw new ArgumentException($"An image of {width} x {height} has {3L * width * height} bytes, not {pixels.LongLength}.", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>A black image.</summary>
    public RgbImage(int width, int height) : this(width, height, new byte[checked(3 * width * height)])
    {
    }

    public int Width { get; }

    public int Height { get; }

    public byte[] Pixels { get; }

    public Span<byte> Row(int y) => Pixels.AsSpan(3 * Width * y, 3 * Width);

    /// <summary>An image with arbitrary pixels, for callers that write all of them.</summary>
    public static RgbImage Uninitialized(int width, int height) =>
        new(width, height, GC.AllocateUninitializedArray<byte>(checked(3 * width * height)));

    /// <summary>
    /// The window of the given size whose top left corner is at (<paramref name="left"/>, <paramref name="top"/>);
    /// what lies outside the image is black.
    /// </summary>
    public RgbImage Window(int left, int top, int width, int height)
    {
        if (left == 0 && top == 0 && width == Width && height == Height)
            return this;

        var window = new RgbImage(width, height);
        var (firstX, lastX) = (Math.Max(left, 0), Math.Min(left + width, Width));
        var (firstY, lastY) = (Math.Max(top, 0), Math.Min(top + height, Height));
        if (firstX < lastX)
        {
            for (var y = firstY; y < lastY; y++)
                Row(y)[(3 * firstX)..(3 * lastX)].CopyTo(window.Row(y - top)[(3 * (firstX - left))..]);
        }
        return window;
    }

    /// <summary>Writes the pixels as three planes, [3, height, width].</summary>
    public void CopyPlanes(Span<byte> chw)
    {
        var plane = Width * Height;
        var red = chw[..plane];
        var green = chw.Slice(plane, plane);
        var blue = chw.Slice(2 * plane, plane);
        var pixels = Pixels.AsSpan(0, 3 * plane);
        for (var i = 0; i < plane; i++)
        {
            var pixel = pixels.Slice(3 * i, 3);
            red[i] = pixel[0];
            green[i] = pixel[1];
            blue[i] = pixel[2];
        }
    }
}
