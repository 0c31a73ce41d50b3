using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The images of a folder as rows. An image is decoded when its getter is called.</summary>
internal sealed class ImageFolderView : IDataView
{
    public const string ImageColumn = "Image";
    public const string LabelColumn = "Label";
    public const string PathColumn = "ImagePath";

    private readonly ImageFile[] _files;

    public ImageFolderView(string folder)
    {
        _files = ImageFile.FindAll(folder);

        var source = ImageSourceColumn.Annotate(Guid.NewGuid().ToString());
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(ImageColumn, new ImageDataViewType(), source);
        schema.AddColumn(LabelColumn, TextDataViewType.Instance);
        schema.AddColumn(PathColumn, TextDataViewType.Instance, source);
        Schema = schema.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => true;

    public long? GetRowCount() => _files.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, columnsNeeded, rand);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly ImageFolderView _view;
        private readonly HashSet<int> _active;
        private readonly int[]? _order; // the order of the files; null where they are not shuffled
        private int _next;
        private int _position = -1; // -1 before the first row and after the last

        public Cursor(ImageFolderView view, IEnumerable<DataViewSchema.Column> columnsNeeded, Random? random)
        {
            _view = view;
            _active = [.. columnsNeeded.Select(column => column.Index)];
            if (random is not null)
            {
                _order = [.. Enumerable.Range(0, view._files.Length)];
                random.Shuffle(_order);
            }
        }

        public override DataViewSchema Schema => _view.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => _active.Contains(column.Index);

        public override bool MoveNext()
        {
            var more = _next < _view._files.Length;
            _position = more ? _next++ : -1;
            return more;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new((ulong)FileIndex(), 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new ArgumentException($"Column '{column.Name}' was not asked for when the cursor was made.", nameof(column));
            Delegate getter = column.Index switch
            {
                0 => new ValueGetter<MLImage>(GetImage),
                1 => new ValueGetter<ReadOnlyMemory<char>>((ref label) => label = CurrentFile().Label.AsMemory()),
                _ => new ValueGetter<ReadOnlyMemory<char>>((ref path) => path = CurrentFile().Path.AsMemory()),
            };
            return getter as ValueGetter<TValue>
                ?? throw new ArgumentException($"Column '{column.Name}' holds {column.Type.RawType.Name}, not {typeof(TValue).Name}.", nameof(column));
        }

        /// <summary>Creates a new image, which the caller disposes of. The one that is passed in is disposed of here, as ML.NET's own LoadImages does.</summary>
        private void GetImage(ref MLImage image)
        {
            image?.Dispose();
            image = null!;
            var path = CurrentFile().Path;
            try
            {
                image = ImageDecoder.Decode(path, ImageDecoder.ToMLImage, keepAlpha: true);
            }
            catch (ImageDecodeException error)
            {
                throw error.AtRow(FileIndex());
            }
            image.Tag = path;
        }

        private ImageFile CurrentFile() => _view._files[FileIndex()];

        private int FileIndex()
        {
            if (_position < 0)
                throw new InvalidOperationException("The cursor is not on a row: call MoveNext first, and stop when it returns false.");
            return _order is null ? _position : _order[_position];
        }
    }
}

/// <summary>An image file and the name of its class.</summary>
internal sealed record ImageFile(string Path, string Label)
{
    /// <summary>
    /// The images in a folder and the folders below it, in the ordinal order of their paths. The class is the name of the folder directly
    /// below <paramref name="folder"/> that holds the image, at any depth; images in <paramref name="folder"/> itself have no class.
    /// </summary>
    public static ImageFile[] FindAll(string folder)
    {
        var (root, names) = (System.IO.Path.GetFullPath(folder), FindNames(folder));
        var stray = Array.Find(names, name => !name.Contains('/'));
        if (stray is not null && names.Any(name => name.Contains('/')))
            throw new InvalidOperationException($"'{root}' holds images in class folders and also the image '{stray}' beside them, whose class is unknown. Move it into a class folder, or away.");

        return [.. names.Select(name => new ImageFile(System.IO.Path.Combine(root, name.Replace('/', System.IO.Path.DirectorySeparatorChar)), LabelOf(name)))];
    }

    /// <summary>The paths of the images relative to the folder, with '/' between the parts on every system, in ordinal order.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidOperationException">There are no images.</exception>
    public static string[] FindNames(string folder)
    {
        var root = System.IO.Path.GetFullPath(folder);
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException($"The image folder '{root}' does not exist.");

        var files = new FolderWalk(root).Files();
        var names = files.Where(name => HasExtension(name, ImageDecoder.FileExtensions)).Order(StringComparer.Ordinal).ToArray();
        if (names.Length == 0)
            throw new InvalidOperationException($"There are no images in '{root}'. Looked for {string.Join(", ", ImageDecoder.FileExtensions)} there and in the folders below.");

        var unread = files.Where(name => HasExtension(name, ImageFormats.UnreadExtensions)).Order(StringComparer.Ordinal).ToArray();
        if (unread.Length > 0)
            Notices.Say($"In '{root}' {unread.Length} files look like images in formats that are not read, and are passed over: {string.Join(", ", unread.Take(3))}{(unread.Length > 3 ? " ..." : "")}. Convert them to PNG or JPEG.");
        var classes = names.Select(LabelOf).ToHashSet();
        var empty = classes.SetEquals([""]) ? [] : Directory.GetDirectories(root).Select(path => System.IO.Path.GetFileName(path)!)
            .Where(name => !name.StartsWith('.') && !classes.Contains(name)).Order(StringComparer.Ordinal).ToArray();
        if (empty.Length > 0)
            Notices.Say($"In '{root}' the folders {string.Join(", ", empty.Take(10))}{(empty.Length > 10 ? " ..." : "")} hold no images, and are no classes.");
        return names;
    }

    private static bool HasExtension(string name, string[] extensions) => extensions.Contains(System.IO.Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    private static string LabelOf(string name) => name.Contains('/') ? name[..name.IndexOf('/')] : "";
}
