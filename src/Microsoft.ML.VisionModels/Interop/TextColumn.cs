using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>A column of texts.</summary>
internal static class TextColumn
{
    public static InputColumn Input(string name) => new(name, "text", type => type is TextDataViewType,
        column => column.Kind == SchemaShape.Column.VectorKind.Scalar && !column.IsKey && column.ItemType is TextDataViewType);

    /// <summary>A function that reads the present row's text; empty where it is missing.</summary>
    public static Func<string> MakeReader(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[column.Index]);
        ReadOnlyMemory<char> text = default;
        return () =>
        {
            getter(ref text);
            return text.ToString();
        };
    }
}
