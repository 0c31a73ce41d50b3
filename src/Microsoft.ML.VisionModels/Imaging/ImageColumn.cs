using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// A column of images: MLImage, or text that holds file paths. Images that come from files are decoded late, many at once.
/// </summary>
internal sealed class ImageColumn
{
    private readonly DataViewSchema.Column _column;
    private readonly DataViewSchema.Column? _path;  // where the image's file can be found without the image

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

    // ML.NET's LoadImages leaves the file's path in the tag.
    private string Name(MLImage? image) => string.IsNullOrEmpty(image?.Tag) ? $"column {_column.Name}" : image.Tag;

    private Func<ImageItem> ImageReader(DataViewRow row)
    {
        var getter = row.GetGetter<MLImage>(row.Schema[_column.Index]);
        // By ML.NET's convention, a source that makes images disposes of the one that it is handed back.
        // A source that owns its images, such as a list in memory, leaves them alone. So this never disposes of any.
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
