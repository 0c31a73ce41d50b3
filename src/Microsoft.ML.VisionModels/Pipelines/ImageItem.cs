using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>One row's picture, not necessarily decoded yet.</summary>
internal sealed class ImageItem
{
    private readonly long _row;
    private readonly string _name;      // the file, or the column where no file is known
    private readonly RgbImage? _pixels;
    private readonly Exception? _error;

    private ImageItem(long row, string name, bool isFile = false, RgbImage? pixels = null, Exception? error = null) =>
        (_row, _name, IsFile, _pixels, _error) = (row, name, isFile, pixels, error);

    /// <summary>Whether the picture can be had again from a file.</summary>
    public bool IsFile { get; }

    public static ImageItem FromFile(long row, string path) => new(row, path, isFile: true);

    public static ImageItem FromPixels(long row, string name, RgbImage? pixels) => new(row, name, pixels: pixels);

    public static ImageItem FromError(long row, string name, Exception error) => new(row, name, error: error);

    /// <summary>The picture, or null where it cannot be read and <paramref name="skipInvalid"/> is set.</summary>
    /// <exception cref="ImageDecodeException">The picture cannot be read; names the row and, where it is known, the file.</exception>
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

    private RgbImage Decode()
    {
        if (_error is not null)
            throw _error as ImageDecodeException ?? new ImageDecodeException(_name, _error.Message, _error);
        if (IsFile && _name.Length > 0)
            return ImageDecoder.Decode(_name);
        return _pixels ?? throw new ImageDecodeException(_name, "the row has none.");
    }
}
