using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>The classes of a classifier, in the order of its outputs, and the type that the user's labels had.</summary>
internal sealed record LabelSet(DataKind Kind, IReadOnlyList<string> Names)
{
    // Each kind with its ML.NET type and how a value is written down.
    private static readonly Dictionary<DataKind, PrimitiveDataViewType> Types = new()
    {
        [DataKind.String] = TextDataViewType.Instance,
        [DataKind.Boolean] = BooleanDataViewType.Instance,
        [DataKind.SByte] = NumberDataViewType.SByte,
        [DataKind.Byte] = NumberDataViewType.Byte,
        [DataKind.Int16] = NumberDataViewType.Int16,
        [DataKind.UInt16] = NumberDataViewType.UInt16,
        [DataKind.Int32] = NumberDataViewType.Int32,
        [DataKind.UInt32] = NumberDataViewType.UInt32,
        [DataKind.Int64] = NumberDataViewType.Int64,
        [DataKind.UInt64] = NumberDataViewType.UInt64,
        [DataKind.Single] = NumberDataViewType.Single,
        [DataKind.Double] = NumberDataViewType.Double,
    };

    public int Count => Names.Count;

    /// <summary>The type of the labels' values.</summary>
    public PrimitiveDataViewType ItemType => TypeOf(Kind);

    public static LabelSet OfText(IReadOnlyList<string> names) => new(DataKind.String, names);

    public static PrimitiveDataViewType TypeOf(DataKind kind) => Types[kind];

    /// <summary>The kind of a type that labels can have; null for others.</summary>
    public static DataKind? KindOf(DataViewType type) => Types.FirstOrDefault(pair => pair.Value.Equals(type)) is { Value: not null } found ? found.Key : null;

    /// <summary>For a vector column: what its slots are called.</summary>
    public DataViewSchema.Annotations SlotNames()
    {
        var builder = new DataViewSchema.Annotations.Builder();
        Add(builder, "SlotNames", TextDataViewType.Instance, name => name.AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>For a key column: what its keys stand for, in the labels' own type.</summary>
    public DataViewSchema.Annotations KeyValues()
    {
        var builder = new DataViewSchema.Annotations.Builder();
        switch (Kind)
        {
            case DataKind.Boolean: Add(builder, "KeyValues", ItemType, bool.Parse); break;
            case DataKind.SByte: AddNumbers<sbyte>(builder); break;
            case DataKind.Byte: AddNumbers<byte>(builder); break;
            case DataKind.Int16: AddNumbers<short>(builder); break;
            case DataKind.UInt16: AddNumbers<ushort>(builder); break;
            case DataKind.Int32: AddNumbers<int>(builder); break;
            case DataKind.UInt32: AddNumbers<uint>(builder); break;
            case DataKind.Int64: AddNumbers<long>(builder); break;
            case DataKind.UInt64: AddNumbers<ulong>(builder); break;
            case DataKind.Single: AddNumbers<float>(builder); break;
            case DataKind.Double: AddNumbers<double>(builder); break;
            default: Add(builder, "KeyValues", ItemType, name => name.AsMemory()); break;
        }
        return builder.ToAnnotations();
    }

    private void AddNumbers<T>(DataViewSchema.Annotations.Builder builder) where T : ISpanParsable<T> =>
        Add(builder, "KeyValues", ItemType, name => T.Parse(name, CultureInfo.InvariantCulture));

    private void Add<T>(DataViewSchema.Annotations.Builder builder, string kind, PrimitiveDataViewType type, Func<string, T> parse)
    {
        var values = Names.Select(parse).ToArray();
        builder.Add(kind, new VectorDataViewType(type, values.Length), (ref VBuffer<T> buffer) => buffer = new VBuffer<T>(values.Length, values));
    }
}
