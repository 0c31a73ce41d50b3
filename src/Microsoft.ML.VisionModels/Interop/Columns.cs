using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>A column that a model reads: what it is called, and what types it may have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Expected">The types, in words.</param>
/// <param name="Accepts">Whether it may have a type.</param>
/// <param name="AcceptsShape">Whether it may have the type that is promised.</param>
internal sealed record InputColumn(string Name, string Expected, Func<DataViewType, bool> Accepts, Func<SchemaShape.Column, bool> AcceptsShape)
{
    /// <summary>A column of vectors, of which each has as many numbers.</summary>
    public static InputColumn Vector(string name) => new(name, "a vector of float of known size",
        type => type is VectorDataViewType { Size: > 0, ItemType: NumberDataViewType { RawType: var item } } && item == typeof(float),
        column => column.Kind == SchemaShape.Column.VectorKind.Vector && column.ItemType is NumberDataViewType { RawType: var item } && item == typeof(float));

    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public DataViewSchema.Column Find(DataViewSchema schema)
    {
        if (schema.GetColumnOrNull(Name) is not { } column)
            throw Missing(schema.Where(c => !c.IsHidden).Select(c => c.Name));
        return Accepts(column.Type) ? column : throw WrongType(column.Type.ToString()!);
    }

    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public SchemaShape.Column Find(SchemaShape shape)
    {
        if (!MLNet.TryFindColumn(shape, Name, out var column))
            throw Missing(shape.Select(c => c.Name));
        return AcceptsShape(column) ? column : throw WrongType(MLNet.TypeName(column));
    }

    private ArgumentException Missing(IEnumerable<string> present) => new(
        $"The input has no column '{Name}'. Its columns are: {string.Join(", ", present)}.", "inputSchema");

    private ArgumentException WrongType(string found) => new(
        $"The column '{Name}' has the type {found}; {Expected} is needed.", "inputSchema");
}

/// <summary>Promises of columns, and getters for them.</summary>
internal static class Columns
{
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
}
