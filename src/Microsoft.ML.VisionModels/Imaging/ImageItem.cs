using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The image of one row, which may not be decoded yet.</summary>
internal sealed class ImageItem
{
    private readonly long _row;
    private readonly string _name;      // the file; where none is known, the column
    private readonly byte[]? _encoded;
    private readonly RgbImage? _pixels;
    private readonly Exception? _error;

    private ImageItem(long row, string name, bool isFile = false, byte[]? encoded = null, RgbImage? pixels = null, Exception? error = null) =>
        (_row, _name, IsFile, _encoded, _pixels, _error) = (row, name, isFile, encoded, pixels, error);

    /// <summary>Whether the image is in a file, so that it can be decoded again at any time.</summary>
    public bool IsFile { get; }

    /// <summary>The memory that this takes before it is used.</summary>
    public long Bytes => _encoded?.Length ?? _pixels?.Pixels.Length ?? 0;

    public static ImageItem FromFile(long row, string path) => new(row, path, isFile: true);

    /// <summary>An image in the bytes of its file.</summary>
    public static ImageItem FromBytes(long row, string name, byte[] encoded) => new(row, name, encoded: encoded);

    public static ImageItem FromPixels(long row, string name, RgbImage? pixels) => new(row, name, pixels: pixels);

    public static ImageItem FromError(long row, string name, Exception error) => new(row, name, error: error);

    /// <summary>What a function makes of the image; null where it cannot be read or used and <paramref name="skipInvalid"/> is set.</summary>
    /// <exception cref="ImageDecodeException">The image cannot be read or used; names the row and, where it is known, the file.</exception>
    public T? Read<T>(bool skipInvalid, Func<RgbImage, T> use, bool keepAlpha = false) where T : class
    {
        try
        {
            if (_error is not null)
                throw _error as ImageDecodeException ?? new ImageDecodeException(_name, _error.Message, _error);
            return IsFile ? ImageDecoder.Decode(_name, use, keepAlpha)
                : _encoded is not null ? ImageDecoder.Decode(_encoded, _name, use, keepAlpha)
                : use(_pixels ?? throw new ImageDecodeException(_name, "the row has none."));
        }
        catch (ImageDecodeException e)
        {
            var named = e.Of(_name).AtRow(_row);
            if (!skipInvalid)
                throw named;
            Notices.Say($"{named.Message} It is passed over, as others will be that cannot be read: SkipInvalidImages is set.", kind: nameof(ImageDecodeException));
            return null;
        }
    }

    /// <summary>Decodes and preprocesses images as the input of a network, [B, 3, H, W].</summary>
    /// <param name="items">The images.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="skipInvalid">Whether images that cannot be read are skipped, rather than an error.</param>
    /// <param name="type">The type of the network's weights.</param>
    /// <param name="device">The network's device.</param>
    /// <param name="invalid">Which images cannot be read. Black images take their places in the batch, and the caller ignores their results.</param>
    /// <exception cref="ImageDecodeException">An image cannot be read, and <paramref name="skipInvalid"/> is not set.</exception>
    public static Tensor Pixels(IReadOnlyList<ImageItem> items, ImageProcessor processor, bool skipInvalid, ScalarType type, Device device, out bool[] invalid)
    {
        var unreadable = invalid = new bool[items.Count];
        var black = new RgbImage(processor.Settings.OutputWidth ?? 1, processor.Settings.OutputHeight ?? 1);
        return processor.ProcessBatch(items.Count, Resized).to(type, device);

        RgbImage Resized(int i, int threads)
        {
            if (items[i].Read(skipInvalid, image => processor.ResizeAndCrop(image, threads), processor.Settings.ConvertAfterResize) is { } image)
                return image;
            unreadable[i] = true;
            return black;
        }
    }
}
