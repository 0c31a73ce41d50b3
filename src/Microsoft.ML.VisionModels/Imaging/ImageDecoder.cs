using System.Runtime.Intrinsics;
using Microsoft.ML.VisionModels.Core;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Turns files and <see cref="Data.MLImage"/>s into RGB and back. Colors are those of Pillow's <c>convert("RGB")</c>: alpha is dropped rather
/// than blended with a background, gray is replicated, palettes are looked up, color profiles are not applied. Photographs are turned
/// upright by their EXIF orientation. Of an animation, the first frame is taken.
/// </summary>
internal static partial class ImageDecoder
{
    /// <summary>Rows that are decoded, or turned, at once: a block of them stays in the processor's cache.</summary>
    private const int RowsAtOnce = 16;

    /// <summary>The extensions of image files, in lower case.</summary>
    public static readonly string[] FileExtensions = [".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".ico", ".wbmp"];

    /// <exception cref="ImageDecodeException">The file cannot be read, or is no complete image.</exception>
    public static RgbImage Decode(string path, bool keepAlpha = false) => Decode(path, image => image, keepAlpha);

    /// <summary>Decodes a file, and uses the image while its memory is counted, see <see cref="ImageMemory"/>.</summary>
    /// <exception cref="ImageDecodeException">The file cannot be read, is no complete image, or cannot be used.</exception>
    public static T Decode<T>(string path, Func<RgbImage, T> use, bool keepAlpha = false) => Decode(ImagePath.Read(path), path, use, keepAlpha);

    /// <param name="encoded">The bytes of an image file.</param>
    /// <param name="name">The image's name in error messages.</param>
    /// <exception cref="ImageDecodeException">The bytes are no complete image.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> encoded, string name) => Decode(encoded, name, image => image);

    /// <inheritdoc cref="Decode{T}(string, Func{RgbImage, T}, bool)"/>
    public static T Decode<T>(ReadOnlySpan<byte> encoded, string name, Func<RgbImage, T> use, bool keepAlpha = false)
    {
        IDisposable? memory = null;
        try
        {
            return use(Decode(encoded, keepAlpha, ref memory));
        }
        catch (ImageDecodeException e)
        {
            throw e.Of(name);
        }
        finally
        {
            memory?.Dispose();
        }
    }

    private static unsafe RgbImage Decode(ReadOnlySpan<byte> encoded, bool keepAlpha, ref IDisposable? memory)
    {
        if (encoded.IsEmpty)
            throw new ImageDecodeException("it is empty.");
        var frame = GifFrame.Of(encoded);
        if (frame is not null)
            encoded = frame.WithoutTransparency(encoded);

        fixed (byte* bytes = encoded)
        {
            using var data = SKData.Create((nint)bytes, encoded.Length);
            using var codec = SKCodec.Create(data) ?? throw new ImageDecodeException(ImageFormats.Explain(encoded));
            CheckClaim(codec, encoded, frame);
            memory = ImageMemory.Hold(BytesOf(codec));
            var image = Decode(codec, (SKEncodedOrigin)ExifOrientation.Of(encoded), frame is { IsGray: false } || ImageFormats.IsPngWithPalette(encoded), keepAlpha && frame is null);
            frame?.FillAround(image);
            return image;
        }
    }

    /// <summary>A small file can claim a size for which there is no memory.</summary>
    private static void CheckClaim(SKCodec codec, ReadOnlySpan<byte> encoded, GifFrame? frame)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width <= 0 || height <= 0)
            throw new ImageDecodeException($"its size is {width} x {height}.");
        if ((long)width * height > Limits.ImagePixels)
            throw new ImageDecodeException($"its {width} x {height} pixels are more than the {Limits.ImagePixels} that are allowed.");
        if (encoded.Length < (frame?.FewestBytes ?? ImageFormats.FewestBytes(codec.EncodedFormat, width, height)))
            throw new ImageDecodeException($"it is truncated: {encoded.Length} bytes cannot hold {width} x {height} pixels.");
    }

    // JPEGs are decoded in strips, others into four bytes a pixel first.
    private static long BytesOf(SKCodec codec) => (codec.EncodedFormat == SKEncodedImageFormat.Jpeg ? 3L : 7L) * codec.Info.Width * codec.Info.Height;

    private static RgbImage Decode(SKCodec codec, SKEncodedOrigin origin, bool hasPalette, bool keepAlpha)
    {
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        // Unpremultiplied, so that dropping alpha leaves the colors of the file.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var turned = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        var image = turned ? RgbImage.Uninitialized(height, width) : RgbImage.Uninitialized(width, height);

        if (codec.EncodedFormat == SKEncodedImageFormat.Jpeg && codec.StartScanlineDecode(info) == SKCodecResult.Success)
        {
            using var strip = new SKBitmap(info.WithSize(width, Math.Min(height, RowsAtOnce)));
            for (var y = 0; y < height; y += RowsAtOnce)
            {
                var rows = Math.Min(RowsAtOnce, height - y);
                if (codec.GetScanlines(strip.GetPixels(), rows, strip.RowBytes) != rows)
                    throw new ImageDecodeException("it is truncated, or its data are damaged.");
                CopyUpright(strip.GetPixelSpan(), width, height, y, rows, origin, image);
            }
            return image;
        }

        using var rgba = new SKBitmap(info);
        // A decoder that goes on from row to row leaves the memory alone that a truncated file claims and does not fill.
        var result = codec.StartIncrementalDecode(info, rgba.GetPixels(), rgba.RowBytes) == SKCodecResult.Success
            ? codec.IncrementalDecode(out _)
            : codec.GetPixels(info, rgba.GetPixels());
        if (result != SKCodecResult.Success)
            throw new ImageDecodeException(Describe(result));
        var pixels = rgba.GetPixelSpan();
        for (var y = 0; y < height; y += RowsAtOnce)
            CopyUpright(pixels[(4 * y * width)..], width, height, y, Math.Min(RowsAtOnce, height - y), origin, image);
        var alpha = keepAlpha && !hasPalette && codec.Info.AlphaType != SKAlphaType.Opaque ? Alpha(pixels, width, height, origin) : null;
        return alpha is null && !hasPalette ? image : new(image.Width, image.Height, image.Pixels) { Alpha = alpha, HasPalette = hasPalette };
    }

    private static string Describe(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "it is truncated.",
        SKCodecResult.ErrorInInput => "its data are damaged.",
        _ => $"decoding failed ({result}).",
    };

    /// <summary>The alpha of each pixel of the upright image; null where all are opaque.</summary>
    private static byte[]? Alpha(ReadOnlySpan<byte> rgba, int width, int height, SKEncodedOrigin origin)
    {
        if (IsOpaque(rgba))
            return null;
        var (start, stepX, stepY) = Steps(width, height, origin);
        var alpha = new byte[width * height];
        for (int y = 0, i = 3; y < height; y++)
        {
            for (int x = 0, at = start + y * stepY; x < width; x++, at += stepX, i += 4)
                alpha[at] = rgba[i];
        }
        return alpha;
    }

    /// <summary>Copies rows without their alpha to where they are in the upright image.</summary>
    /// <param name="rgba">The rows.</param>
    /// <param name="width">The width of the image in the file.</param>
    /// <param name="height">Its height.</param>
    /// <param name="top">The number of the first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="origin">On which sides of the upright image the file's first row and first column are.</param>
    /// <param name="image">The upright image.</param>
    private static void CopyUpright(ReadOnlySpan<byte> rgba, int width, int height, int top, int rows, SKEncodedOrigin origin, RgbImage image)
    {
        var (start, stepX, stepY) = Steps(width, height, origin);
        if (stepX == 1)
        {
            for (var y = 0; y < rows; y++)
                CopyRow(rgba.Slice(4 * y * width, 4 * width), image.Pixels.AsSpan(3 * (start + (top + y) * stepY), 3 * width));
            return;
        }
        // Column by column: where the image is turned, the pixels of a block's column lie side by side in the upright image.
        var pixels = image.Pixels.AsSpan();
        for (var x = 0; x < width; x++)
        {
            for (int y = 0, at = start + x * stepX + top * stepY; y < rows; y++, at += stepY)
                rgba.Slice(4 * (y * width + x), 3).CopyTo(pixels[(3 * at)..]);
        }
    }

    /// <summary>The place of the file's first pixel in the upright image, and the steps to those of the next pixel in a row and of the next row.</summary>
    private static (int Start, int StepX, int StepY) Steps(int width, int height, SKEncodedOrigin origin) => origin switch
    {
        SKEncodedOrigin.TopRight => (width - 1, -1, width),
        SKEncodedOrigin.BottomRight => (width * height - 1, -1, -width),
        SKEncodedOrigin.BottomLeft => (width * (height - 1), 1, -width),
        SKEncodedOrigin.LeftTop => (0, height, 1),
        SKEncodedOrigin.RightTop => (height - 1, height, -1),
        SKEncodedOrigin.RightBottom => (width * height - 1, -height, -1),
        SKEncodedOrigin.LeftBottom => (height * (width - 1), -height, 1),
        _ => (0, 1, width),
    };

    private static void CopyRow(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        var (i, from) = (0, 0);
        if (Vector128.IsHardwareAccelerated)
        {
            // Four pixels at a time. Each store writes four bytes too many, which the next one overwrites.
            var withoutAlpha = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
            for (; i + 16 <= rgb.Length; i += 12, from += 16)
                Vector128.Shuffle(Vector128.Create(rgba.Slice(from, 16)), withoutAlpha).CopyTo(rgb[i..]);
        }
        for (; i < rgb.Length; i += 3, from += 4)
            rgba.Slice(from, 3).CopyTo(rgb[i..]);
    }
}
