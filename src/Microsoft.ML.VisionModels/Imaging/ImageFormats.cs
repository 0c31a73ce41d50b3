using Microsoft.ML.VisionModels.Core;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>What the first bytes of a file tell.</summary>
internal static class ImageFormats
{
    // Deflate makes at most this many bytes of one.
    private const int DeflateRatio = 1032;

    /// <summary>Extensions of images that are not read, in lower case.</summary>
    public static readonly string[] UnreadExtensions =
        [".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jxl", ".tga", ".heic", ".heif", ".avif", ".psd", ".dng", ".cr2", ".nef", ".arw", ".exr", ".hdr", ".dds", ".pcx", ".pnm", ".pbm", ".pgm", ".ppm", ".svg"];

    /// <summary>Why bytes are no image.</summary>
    public static string Explain(ReadOnlySpan<byte> file)
    {
        if (InputFile.PointerProblem(file, "image") is { } pointer)
            return pointer;
        if (file.StartsWith("data:"u8))
            return "it is a data URI; give the bytes that it stands for.";
        if (Unread(file) is { } format)
            return $"it is {format}, which is not read; convert it to PNG or JPEG.";
        return "it is in no image format that is supported, or damaged.";
    }

    /// <summary>The fewest bytes that a whole image of this size can have; 0 where a few may stand for any size.</summary>
    public static long FewestBytes(SKEncodedImageFormat format, int width, int height) => format switch
    {
        SKEncodedImageFormat.Jpeg => (long)((width + 7) / 8) * ((height + 7) / 8) / 8,      // a bit for each block of 8 x 8 pixels
        SKEncodedImageFormat.Png => (long)height * (1 + (width + 7) / 8) / DeflateRatio,    // a bit for each pixel, and a byte for each row, compressed
        _ => 0,
    };

    /// <summary>Whether a file is a PNG that has a palette, or one bit a pixel.</summary>
    public static bool IsPngWithPalette(ReadOnlySpan<byte> file) =>
        file.Length > 25 && file[1..].StartsWith("PNG"u8) && (file[25] == 3 || (file[25] == 0 && file[24] == 1));

    private static string? Unread(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8))
            return "a TIFF";
        if (file.StartsWith("8BPS"u8))
            return "a PSD of Photoshop";
        if (file.Length >= 12 && file[4..].StartsWith("ftyp"u8))
            return file[8..].StartsWith("avi"u8) ? "an AVIF" : "a HEIC or a video";
        if (file.StartsWith((ReadOnlySpan<byte>)[0xff, 0x4f, 0xff, 0x51]) || (file.Length >= 8 && file[4..].StartsWith("jP  "u8)))
            return "a JPEG 2000";
        if (file.StartsWith((ReadOnlySpan<byte>)[0xff, 0x0a]) || (file.Length >= 8 && file[4..].StartsWith("JXL "u8)))
            return "a JPEG XL";
        return file.StartsWith("<"u8) ? "text (HTML, SVG or XML)" : null;
    }
}
