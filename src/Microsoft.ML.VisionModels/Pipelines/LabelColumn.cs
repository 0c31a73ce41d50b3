using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>The column of the right answers: a key, text, an integer or a Boolean.</summary>
internal sealed class LabelColumn
{
    private const int MostNamelessClasses = 1 << 20;    // a hash has a range of 2^31
    private readonly string[]? _keyNames;   // of a key column, its values in order

    private LabelColumn(DataViewSchema.Column column, int firstKey)
    {
        Column = column;
        if (column.Type is KeyDataViewType key)
            (Kind, _keyNames) = KeyNames(column, key, firstKey);
        else
            Kind = LabelSet.KindOf(column.Type)!.Value;
    }

    public DataViewSchema.Column Column { get; }

    public DataKind Kind { get; }

    public static InputColumn Input(string name) => new(name, "a key, text, an integer or a Boolean",
        type => type is KeyDataViewType || IsLabelItem(type),
        column => column.Kind == SchemaShape.Column.VectorKind.Scalar && (column.IsKey || IsLabelItem(column.ItemType)));

    /// <param name="schema">The columns.</param>
    /// <param name="name">The column's.</param>
    /// <param name="firstKey">
    /// What the first key is called where keys have no names: 1, the number that stands in the column, or 0, the value that ML.NET means by it
    /// (a text loader reads 0 as the first key), for models that know their classes by number.
    /// </param>
    /// <exception cref="ArgumentException">There is no such column, or it has another type.</exception>
    public static LabelColumn Bind(DataViewSchema schema, string name, int firstKey = 1) => new(Input(name).Find(schema), firstKey);

    /// <summary>The type of the labels' values, by the promise of a column.</summary>
    public static DataViewType TypeOf(SchemaShape shape, string name)
    {
        var column = Input(name).Find(shape);
        if (!column.IsKey)
            return column.ItemType;
        return Interop.MLNet.TryFindColumn(column.Annotations, "KeyValues", out var values) && LabelSet.KindOf(values.ItemType) is not null
            ? values.ItemType
            : TextDataViewType.Instance;
    }

    /// <summary>The labels as what goes with training images.</summary>
    public PayloadColumn<string> Reading() => new(Column, MakeReader);

    /// <summary>A function that reads the present row's label by name; null where it is missing.</summary>
    public Func<string?> MakeReader(DataViewRow row)
    {
        if (Column.Type is KeyDataViewType)
            return KeyReader(row, key => key == 0 ? null : _keyNames![key - 1]);
        return Kind switch
        {
            DataKind.String => Reader<ReadOnlyMemory<char>>(row, text => text.IsEmpty ? null : text.ToString()),
            DataKind.Boolean => Reader<bool>(row, value => value.ToString()),
            DataKind.SByte => NumberReader<sbyte>(row),
            DataKind.Byte => NumberReader<byte>(row),
            DataKind.Int16 => NumberReader<short>(row),
            DataKind.UInt16 => NumberReader<ushort>(row),
            DataKind.Int32 => NumberReader<int>(row),
            DataKind.UInt32 => NumberReader<uint>(row),
            DataKind.Int64 => NumberReader<long>(row),
            _ => NumberReader<ulong>(row),
        };
    }

    /// <summary>
    /// A function that tells which of the classes the present row's label means: null where it is missing, none where it is no class. A key
    /// with these classes in this order means its place. Any other label means each class of its name, of which there may be several.
    /// </summary>
    public Func<int[]?> MakeReader(DataViewRow row, IReadOnlyList<string> classes)
    {
        if (_keyNames?.SequenceEqual(classes) == true)
        {
            int[][] single = [.. Enumerable.Range(0, classes.Count).Select(place => new[] { place })];
            return KeyReader(row, key => key == 0 ? null : single[key - 1]);
        }
        var places = classes.Index().GroupBy(entry => entry.Item, entry => entry.Index).ToDictionary(group => group.Key, group => group.ToArray());
        var read = MakeReader(row);
        return () => read() is { } name ? places.GetValueOrDefault(name, []) : null;
    }

    /// <summary>The classes behind the labels that were read: all of a key's values, or what occurs, sorted.</summary>
    public LabelSet Collect(IEnumerable<string> labels) => new(Kind, Kind switch
    {
        _ when _keyNames is not null => _keyNames,
        DataKind.Boolean => [bool.FalseString, bool.TrueString],
        DataKind.String => [.. labels.Distinct().Order(StringComparer.Ordinal)],
        _ => [.. labels.Distinct().OrderBy(label => Int128.Parse(label, CultureInfo.InvariantCulture))],
    });

    // Floats are keys' values at most, never labels by themselves: 0.1 + 0.2 is no class.
    private static bool IsLabelItem(DataViewType type) => LabelSet.KindOf(type) is { } kind and not (DataKind.Single or DataKind.Double);

    private Func<TResult?> Reader<T, TResult>(DataViewRow row, Func<T, TResult?> read) where TResult : class
    {
        var getter = row.GetGetter<T>(row.Schema[Column.Index]);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return read(value);
        };
    }

    private Func<string?> Reader<T>(DataViewRow row, Func<T, string?> name) => Reader<T, string>(row, name);

    private Func<string?> NumberReader<T>(DataViewRow row) where T : IFormattable =>
        Reader<T>(row, value => value.ToString(null, CultureInfo.InvariantCulture));

    private Func<TResult?> KeyReader<TResult>(DataViewRow row, Func<ulong, TResult?> read) where TResult : class => Column.Type.RawType switch
    {
        var type when type == typeof(byte) => Reader<byte, TResult>(row, key => read(key)),
        var type when type == typeof(ushort) => Reader<ushort, TResult>(row, key => read(key)),
        var type when type == typeof(uint) => Reader<uint, TResult>(row, key => read(key)),
        _ => Reader<ulong, TResult>(row, key => read(key)),
    };

    /// <summary>The classes that an annotation of a column holds, by name; null where there is none of a type that labels can have.</summary>
    public static string[]? Names(DataViewSchema.Column column, string annotation) => AnnotationKind(column, annotation) switch
    {
        null => null,
        DataKind.String => Names<ReadOnlyMemory<char>>(column, annotation, text => text.ToString()),
        DataKind.Boolean => Names<bool>(column, annotation, value => value.ToString()),
        DataKind.SByte => Numbers<sbyte>(column, annotation),
        DataKind.Byte => Numbers<byte>(column, annotation),
        DataKind.Int16 => Numbers<short>(column, annotation),
        DataKind.UInt16 => Numbers<ushort>(column, annotation),
        DataKind.Int32 => Numbers<int>(column, annotation),
        DataKind.UInt32 => Numbers<uint>(column, annotation),
        DataKind.Int64 => Numbers<long>(column, annotation),
        DataKind.UInt64 => Numbers<ulong>(column, annotation),
        DataKind.Single => Numbers<float>(column, annotation),
        _ => Numbers<double>(column, annotation),
    };

    private static DataKind? AnnotationKind(DataViewSchema.Column column, string annotation) =>
        column.Annotations.Schema.GetColumnOrNull(annotation)?.Type is VectorDataViewType { ItemType: var item } ? LabelSet.KindOf(item) : null;

    private static (DataKind Kind, string[] Names) KeyNames(DataViewSchema.Column column, KeyDataViewType key, int firstKey)
    {
        if (Names(column, "KeyValues") is { } names)
            return (AnnotationKind(column, "KeyValues")!.Value, names);
        if (key.Count > MostNamelessClasses)
        {
            throw new ArgumentException(
                $"The key column '{column.Name}' has no KeyValues and a range of {key.Count} keys, each of which would be a class. Make the keys with MapValueToKey.", "inputSchema");
        }
        // A key that stands for nothing: its own number.
        return (DataKind.String, [.. Enumerable.Range(firstKey, (int)key.Count).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
    }

    private static string[] Numbers<T>(DataViewSchema.Column column, string annotation) where T : IFormattable =>
        Names<T>(column, annotation, value => value.ToString(null, CultureInfo.InvariantCulture));

    private static string[] Names<T>(DataViewSchema.Column column, string annotation, Func<T, string> name)
    {
        VBuffer<T> values = default;
        column.Annotations.GetValue(annotation, ref values);
        return [.. values.DenseValues().Select(name)];
    }
}
