using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The images of a folder as rows; each is decoded when its getter is called.</summary>
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
        private readonly int[]? _order; // of the files, where they are shuffled
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

        /// <summary>Every call gives a new image, which the caller disposes; the one in <paramref name="image"/> is disposed here, as in ML.NET's own LoadImages.</summary>
        private void GetImage(ref MLImage image)
        {
            image?.Dispose();
            image = null!;
            var path = CurrentFile().Path;
            try
            {
                image = ImageDecoder.ToMLImage(ImageDecoder.Decode(path));
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
