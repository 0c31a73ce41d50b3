using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>Finding columns, and saying clearly when they are not there or not of the right type.</summary>
internal static class Columns
{
    public static DataViewSchema.Column Find(DataViewSchema schema, string name, string expected, Func<DataViewType, bool> accepts)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
            throw Missing(name, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        if (!accepts(column.Type))
            throw WrongType(name, expected, column.Type.ToString()!);
        return column;
    }

    public static SchemaShape.Column Find(SchemaShape shape, string name, string expected, Func<SchemaShape.Column, bool> accepts)
    {
        if (!MLNet.TryFindColumn(shape, name, out var column))
            throw Missing(name, shape.Select(c => c.Name));
        if (!accepts(column))
            throw WrongType(name, expected, MLNet.TypeName(column));
        return column;
    }

    /// <summary>The promise of an input's columns and, after them or in the place of those of the same name, a model's.</summary>
    public static SchemaShape Promise(SchemaShape input, params IEnumerable<SchemaShape.Column> added)
    {
        var columns = input.ToDictionary(column => column.Name);
        foreach (var column in added)
            columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }

    /// <summary>The promise of a column of vectors.</summary>
    public static SchemaShape.Column VectorPromise(string name) => MLNet.ShapeColumn(name, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single);

    /// <summary>A getter as the type that the caller asked for.</summary>
    public static ValueGetter<TValue> Typed<TValue>(Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<TValue>
        ?? throw new InvalidOperationException($"The column '{column.Name}' has values of type {column.Type.RawType}, not {typeof(TValue)}.");

    private static ArgumentException Missing(string name, IEnumerable<string> present) => new(
        $"The input has no column '{name}'. Its columns are: {string.Join(", ", present)}.", "inputSchema");

    private static ArgumentException WrongType(string name, string expected, string found) => new(
        $"The column '{name}' has the type {found}; {expected} is needed.", "inputSchema");
}
