using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Interop;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// A column of images: MLImage, or text that holds file paths. Images that come from files are read as paths first and decoded later, so
/// that a batch can be decoded on many threads.
/// </summary>
internal sealed class ImageColumn
{
    private readonly DataViewSchema.Column _column;
    private readonly DataViewSchema.Column? _path;  // the column with the images' paths, where there is one

    private ImageColumn(DataViewSchema schema, DataViewSchema.Column column)
    {
        _column = column;
        _path = column.Type is TextDataViewType ? column : ImageSourceColumn.PathOf(schema, column);
    }

    /// <summary>The column to read: the image's, or its path's.</summary>
    public DataViewSchema.Column Column => _path ?? _column;

    public static InputColumn Input(string name) => new(name, "an image (MLImage), or text with file paths,",
        type => type is ImageDataViewType or TextDataViewType,
        column => column.Kind == SchemaShape.Column.VectorKind.Scalar && column.ItemType is ImageDataViewType or TextDataViewType);

    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public static ImageColumn Bind(DataViewSchema schema, string name) => new(schema, Input(name).Find(schema));

    /// <summary>A function that reads the present row's image.</summary>
    public Func<ImageItem> MakeReader(DataViewRow row) => _path is { } path ? PathReader(row, path) : ImageReader(row);

    private Func<ImageItem> PathReader(DataViewRow row, DataViewSchema.Column path)
    {
        var getter = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[path.Index]);
        ReadOnlyMemory<char> text = default;
        return () =>
        {
            getter(ref text);
            return text.IsEmpty ? ImageItem.FromPixels(row.Position, Name(null), null) : ImageItem.FromFile(row.Position, text.ToString());
        };
    }

    // ML.NET's LoadImages writes the file's path into the tag.
    private string Name(MLImage? image) => string.IsNullOrEmpty(image?.Tag) ? $"column {_column.Name}" : image.Tag;

    private Func<ImageItem> ImageReader(DataViewRow row)
    {
        var getter = row.GetGetter<MLImage>(row.Schema[_column.Index]);
        // The image that is passed in is the previous row's. By ML.NET's convention a source that creates images disposes of it, and a
        // source that owns its images, such as a list in memory, does not. So this code must not dispose of any.
        MLImage? image = null;
        return () =>
        {
            try
            {
                getter(ref image!);
                return ImageItem.FromPixels(row.Position, Name(image), image is null ? null : ImageDecoder.FromMLImage(image));
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                image = null;
                return ImageItem.FromError(row.Position, Name(null), e);
            }
        };
    }
}

/// <summary>The image of one row, which may not be decoded yet.</summary>
internal sealed class ImageItem
{
    private readonly long _row;
    private readonly string _name;      // the file; where none is known, the column
    private readonly RgbImage? _pixels;
    private readonly Exception? _error;

    private ImageItem(long row, string name, bool isFile = false, RgbImage? pixels = null, Exception? error = null) =>
        (_row, _name, IsFile, _pixels, _error) = (row, name, isFile, pixels, error);

    /// <summary>Whether the image is in a file, so that it can be decoded again at any time.</summary>
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

/// <summary>
/// Finds the column with the file paths behind an image column. A view that decodes images from files puts the same token, which is
/// unique to the view, into the annotations of both columns. A reader that finds both columns in a schema may read the paths and decode
/// the files itself, many at a time.
/// </summary>
internal static class ImageSourceColumn
{
    private const string Kind = "VisionModels.ImageSource";

    /// <summary>Annotations with the token, for both columns.</summary>
    public static DataViewSchema.Annotations Annotate(string token)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add(Kind, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = token.AsMemory());
        return annotations.ToAnnotations();
    }

    /// <summary>The text column that holds the full path of each image of <paramref name="imageColumn"/>; null where none is known.</summary>
    public static DataViewSchema.Column? PathOf(DataViewSchema schema, DataViewSchema.Column imageColumn)
    {
        if (TokenOf(imageColumn) is not { } token)
            return null;
        foreach (var column in schema)
        {
            if (!column.IsHidden && column.Type is TextDataViewType && TokenOf(column) == token)
                return column;
        }
        return null;
    }

    private static string? TokenOf(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: TextDataViewType })
            return null;
        ReadOnlyMemory<char> token = default;
        column.Annotations.GetValue(Kind, ref token);
        return token.ToString();
    }
}
