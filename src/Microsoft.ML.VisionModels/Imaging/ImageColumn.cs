using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Interop;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// A column of images: MLImage, text that holds file paths, or the bytes of image files. Images that come from files and bytes are decoded
/// later than they are read, so that a batch can be decoded on many threads.
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

    public static InputColumn Input(string name) => new(name, "an image (MLImage), text with file paths, or the bytes of image files (byte[])",
        type => type is ImageDataViewType or TextDataViewType || IsBytes(type),
        column => column.Kind == SchemaShape.Column.VectorKind.Scalar ? column.ItemType is ImageDataViewType or TextDataViewType : column.ItemType == NumberDataViewType.Byte && !column.IsKey);

    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public static ImageColumn Bind(DataViewSchema schema, string name) => new(schema, Input(name).Find(schema));

    /// <summary>A function that reads the present row's image.</summary>
    public Func<ImageItem> MakeReader(DataViewRow row) =>
        _path is { } path ? PathReader(row, path) : IsBytes(_column.Type) ? BytesReader(row) : ImageReader(row);

    // As byte[] properties and ML.NET's LoadRawImageBytes give them.
    private static bool IsBytes(DataViewType type) => type is VectorDataViewType { ItemType: NumberDataViewType item } && item == NumberDataViewType.Byte;

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

    private Func<ImageItem> BytesReader(DataViewRow row)
    {
        var getter = row.GetGetter<VBuffer<byte>>(row.Schema[_column.Index]);
        VBuffer<byte> buffer = default;
        return () =>
        {
            getter(ref buffer);
            return buffer.Length == 0 ? ImageItem.FromPixels(row.Position, Name(null), null) : ImageItem.FromBytes(row.Position, Name(null), [.. buffer.DenseValues()]);
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
                return image is not null && ImageDecoder.IsWorseThanItsFile(image)
                    ? ImageItem.FromFile(row.Position, image.Tag)
                    : ImageItem.FromPixels(row.Position, Name(image), image is null ? null : ImageDecoder.FromMLImage(image));
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                image = null;
                return ImageItem.FromError(row.Position, Name(null), e);
            }
        };
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
