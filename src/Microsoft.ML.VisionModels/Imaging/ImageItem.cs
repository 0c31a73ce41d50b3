using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>One row's image, not necessarily decoded yet.</summary>
internal sealed class ImageItem
{
    private readonly long _row;
    private readonly string _name;      // the file, or the column where no file is known
    private readonly RgbImage? _pixels;
    private readonly Exception? _error;

    private ImageItem(long row, string name, bool isFile = false, RgbImage? pixels = null, Exception? error = null) =>
        (_row, _name, IsFile, _pixels, _error) = (row, name, isFile, pixels, error);

    /// <summary>Whether the image can be had again from a file.</summary>
    public bool IsFile { get; }

    public static ImageItem FromFile(long row, string path) => new(row, path, isFile: true);

    public static ImageItem FromPixels(long row, string name, RgbImage? pixels) => new(row, name, pixels: pixels);

    public static ImageItem FromError(long row, string name, Exception error) => new(row, name, error: error);

    /// <summary>The image, or null where it cannot be read and <paramref name="skipInvalid"/> is set.</summary>
    /// <exception cref="ImageDecodeException">The image cannot be read; names the row and, where it is known, the file.</exception>
    public RgbImage? Decode(bool skipInvalid)
    {
        try
        {
            return Decode();
        }
        catch (ImageDecodeException e)
        {
            return skipInvalid ? null : throw e.AtRow(_row);
        }
    }

    /// <summary>Images as a network's input, [B, 3, H, W].</summary>
    /// <param name="items">The images.</param>
    /// <param name="processor">The preprocessing.</param>
    /// <param name="skipInvalid">Whether images that cannot be read are passed over.</param>
    /// <param name="type">The type of the network's weights.</param>
    /// <param name="device">Where the network is.</param>
    /// <param name="invalid">Which cannot be read: these go through the network as black images, and their results are to be dropped.</param>
    /// <exception cref="ImageDecodeException">An image cannot be read, and <paramref name="skipInvalid"/> is not set.</exception>
    public static Tensor Pixels(IReadOnlyList<ImageItem> items, ImageProcessor processor, bool skipInvalid, ScalarType type, Device device, out bool[] invalid)
    {
        var unreadable = invalid = new bool[items.Count];
        return processor.ProcessBatch(items.Count, Image).to(type, device);

        RgbImage Image(int i)
        {
            if (items[i].Decode(skipInvalid) is { } image)
                return image;
            unreadable[i] = true;
            return new RgbImage(1, 1);
        }
    }

    private RgbImage Decode()
    {
        if (_error is not null)
            throw _error as ImageDecodeException ?? new ImageDecodeException(_name, _error.Message, _error);
        if (IsFile)
            return ImageDecoder.Decode(_name);
        return _pixels ?? throw new ImageDecodeException(_name, "the row has none.");
    }
}
