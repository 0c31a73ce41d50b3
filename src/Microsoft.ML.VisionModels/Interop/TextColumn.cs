using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>A column of texts.</summary>
internal sealed class TextColumn
{
    private const string Expected = "text";

    private TextColumn(DataViewSchema.Column column) => Column = column;

    public DataViewSchema.Column Column { get; }

    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public static TextColumn Bind(DataViewSchema schema, string name) => new(Columns.Find(schema, name, Expected, type => type is TextDataViewType));

    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public static void Check(SchemaShape shape, string name) =>
        Columns.Find(shape, name, Expected, column => column.Kind == SchemaShape.Column.VectorKind.Scalar && !column.IsKey && column.ItemType is TextDataViewType);

    /// <summary>A function that reads the present row's text; empty where it is missing.</summary>
    public Func<string> MakeReader(DataViewRow row)
    {
        var getter = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[Column.Index]);
        ReadOnlyMemory<char> text = default;
        return () =>
        {
            getter(ref text);
            return text.ToString();
        };
    }
}
