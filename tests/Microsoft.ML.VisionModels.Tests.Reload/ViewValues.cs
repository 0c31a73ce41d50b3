using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Values of columns of any type: scalars as they are, vectors as arrays, text as strings.</summary>
internal static class ViewValues
{
    /// <summary>All rows of a view; of each, the values of some columns.</summary>
    public static List<object[]> Read(IDataView view, params IEnumerable<string> columns)
    {
        var found = columns.Select(name => view.Schema[name]).ToArray();
        using var cursor = view.GetRowCursor(found);
        var readers = Array.ConvertAll(found, column => Reader(cursor, column));
        var rows = new List<object[]>();
        while (cursor.MoveNext())
            rows.Add(Array.ConvertAll(readers, read => read()));
        return rows;
    }

    /// <summary>A function that reads the present row's value.</summary>
    public static Func<object> Reader(DataViewRow row, DataViewSchema.Column column) => MakeReader(row, column);

    /// <summary>Text that differs where two values differ in a single bit.</summary>
    public static string Exactly(object? value) => value switch
    {
        null => "null",
        float number => BitConverter.SingleToUInt32Bits(number).ToString("X8", CultureInfo.InvariantCulture),
        MLImage image => $"{image.Width} x {image.Height}: {Convert.ToHexString(SHA256.HashData(image.Pixels))}",
        Array items => string.Join(' ', items.Cast<object>().Select(Exactly)),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    /// <summary>What a model added to its input, as text: the columns with their types and annotations, then the rows' values.</summary>
    public static IEnumerable<string> Added(IDataView scored, DataViewSchema input)
    {
        var added = scored.Schema.Skip(input.Count).ToArray();
        foreach (var column in added)
        {
            yield return $"{column.Name}: {column.Type}";
            foreach (var annotation in column.Annotations.Schema)
                yield return $"{column.Name}.{annotation.Name}: {Exactly(MakeReader(column.Annotations, annotation)())}";
        }
        foreach (var row in Read(scored, added.Select(column => column.Name)))
            yield return string.Join(" | ", row.Select(Exactly));
    }

    private static Func<object> MakeReader(object source, DataViewSchema.Column column)
    {
        var (name, type) = column.Type is VectorDataViewType vector ? (nameof(Vector), vector.ItemType.RawType) : (nameof(Scalar), column.Type.RawType);
        return (Func<object>)typeof(ViewValues).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(type).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [source, column], null)!;
    }

    private static Func<object> Scalar<T>(dynamic source, DataViewSchema.Column column)
    {
        ValueGetter<T> getter = source.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return Plain(value!);
        };
    }

    private static Func<object> Vector<T>(dynamic source, DataViewSchema.Column column)
    {
        ValueGetter<VBuffer<T>> getter = source.GetGetter<VBuffer<T>>(column);
        VBuffer<T> value = default;
        return () =>
        {
            getter(ref value);
            return value.DenseValues().Select(item => Plain(item!)).ToArray();
        };
    }

    private static object Plain(object value) => value is ReadOnlyMemory<char> text ? text.ToString() : value;
}
