using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Loads images as this package's models see them in training: photographs upright by their EXIF orientation, colors as they are in the
/// file where it is transparent. ML.NET's own <c>MLImage.CreateFromFile</c> and <c>CreateFromStream</c> lose both, and a model may
/// answer something else.
/// </summary>
/// <example>
/// <code>
/// using var image = VisionImage.Load("rose.jpg");
/// var prediction = engine.Predict(new Photo { Image = image });
/// </code>
/// </example>
public static class VisionImage
{
    /// <summary>
    /// Megabytes that images may take together while they are decoded and resized, in all threads and by all models of the process, in
    /// training too; at least 1. One that takes more by itself waits until it is the only one. An image of 12 million pixels takes 36 MB
    /// as JPEG, and 84 MB in other formats. Default 1024.
    /// </summary>
    public static int MegabytesInFlight
    {
        get => (int)(ImageMemory.Limit >> 20);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ImageMemory.Limit = (long)value << 20;
        }
    }

    /// <summary>Loads a file.</summary>
    /// <param name="path">JPEG, PNG, BMP, GIF (the first frame), WebP, ICO or WBMP, whatever it is called.</param>
    /// <returns>An opaque RGB image, with <paramref name="path"/> in its <see cref="MLImage.Tag"/>; the caller disposes of it.</returns>
    /// <exception cref="ImageDecodeException">The file is missing, unreadable, truncated, no image, or too large.</exception>
    public static MLImage Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var image = ImageDecoder.Decode(path, ImageDecoder.ToMLImage, keepAlpha: true);
        image.Tag = path;
        return image;
    }

    /// <summary>Loads the bytes of a file.</summary>
    /// <param name="encoded">The bytes of an image file, not its pixels.</param>
    /// <inheritdoc cref="Load(string)"/>
    /// <returns>An opaque RGB image; the caller disposes of it.</returns>
    public static MLImage Load(byte[] encoded)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        return ImageDecoder.Decode(encoded, "bytes", ImageDecoder.ToMLImage, keepAlpha: true);
    }

    /// <summary>Loads what a stream holds from its position to its end.</summary>
    /// <param name="encoded">An image file. It is read to its end, at most 1 GB, and not closed.</param>
    /// <inheritdoc cref="Load(byte[])"/>
    public static MLImage Load(Stream encoded)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = encoded.Read(buffer)) > 0;)
            Append(bytes, buffer.AsSpan(0, read));
        return Load(bytes);
    }

    /// <summary>Loads what a stream holds from its position to its end; for streams that cannot be read otherwise, such as the body of a web request.</summary>
    /// <param name="encoded">An image file. It is read to its end, at most 1 GB, and not closed.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <inheritdoc cref="Load(byte[])"/>
    public static async Task<MLImage> LoadAsync(Stream encoded, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await encoded.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            Append(bytes, buffer.AsSpan(0, read));
        return Load(bytes);
    }

    /// <summary>Writes an image as a PNG. The file appears when it is complete.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">The file, which is overwritten; its folder is made where it is missing.</param>
    /// <param name="texts">What the file shall say of itself, by keyword of ASCII: how an image was generated stands under "parameters", as a rule.</param>
    /// <exception cref="ArgumentException">A keyword is empty, longer than 79, or not of ASCII.</exception>
    public static void SavePng(MLImage image, string path, IReadOnlyDictionary<string, string>? texts = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var encoded = ImageDecoder.EncodePng(image);
        var png = texts is null ? encoded : PngText.Add(encoded, texts);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        AtomicFile.Write(path, file => file.Write(png));
    }

    /// <summary>What a PNG file says of itself, by keyword; nothing of a file of another format.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ImageDecodeException">The file is missing, unreadable, or too large.</exception>
    public static IReadOnlyDictionary<string, string> ReadPngTexts(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return PngText.Read(ImagePath.Read(path));
    }

    private static void Append(MemoryStream bytes, ReadOnlySpan<byte> more)
    {
        if (bytes.Length + more.Length > Limits.ImageFileBytes)
            throw new ImageDecodeException("stream", $"it has more than {Limits.ImageFileBytes} bytes.");
        bytes.Write(more);
    }

    private static MLImage Load(MemoryStream bytes) => ImageDecoder.Decode(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), "stream", ImageDecoder.ToMLImage, keepAlpha: true);
}
