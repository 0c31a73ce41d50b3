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

    /// <summary>The place of the first class of a name; -1 where there is none.</summary>
    public int IndexOf(string name) => Names.TakeWhile(other => other != name).Count() is var place && place < Count ? place : -1;

    /// <summary>The type of the labels' values.</summary>
    public PrimitiveDataViewType ItemType => TypeOf(Kind);

    public static LabelSet OfText(IReadOnlyList<string> names) => new(DataKind.String, names);

    public static PrimitiveDataViewType TypeOf(DataKind kind) => Types[kind];

    /// <summary>The kind of a type that labels can have; null for others.</summary>
    public static DataKind? KindOf(DataViewType type) => Types.FirstOrDefault(pair => pair.Value.Equals(type)) is { Value: not null } found ? found.Key : null;

    /// <summary>Adds an annotation with the classes' names, as text.</summary>
    public void AddNames(DataViewSchema.Annotations.Builder builder, string kind) =>
        Add(builder, kind, TextDataViewType.Instance, name => name.AsMemory());

    /// <summary>Adds an annotation with the classes in the labels' own type.</summary>
    public void AddValues(DataViewSchema.Annotations.Builder builder, string kind)
    {
        switch (Kind)
        {
            case DataKind.Boolean: Add(builder, kind, ItemType, bool.Parse); break;
            case DataKind.SByte: AddNumbers<sbyte>(builder, kind); break;
            case DataKind.Byte: AddNumbers<byte>(builder, kind); break;
            case DataKind.Int16: AddNumbers<short>(builder, kind); break;
            case DataKind.UInt16: AddNumbers<ushort>(builder, kind); break;
            case DataKind.Int32: AddNumbers<int>(builder, kind); break;
            case DataKind.UInt32: AddNumbers<uint>(builder, kind); break;
            case DataKind.Int64: AddNumbers<long>(builder, kind); break;
            case DataKind.UInt64: AddNumbers<ulong>(builder, kind); break;
            case DataKind.Single: AddNumbers<float>(builder, kind); break;
            case DataKind.Double: AddNumbers<double>(builder, kind); break;
            default: AddNames(builder, kind); break;
        }
    }

    private void AddNumbers<T>(DataViewSchema.Annotations.Builder builder, string kind) where T : ISpanParsable<T> =>
        Add(builder, kind, ItemType, name => T.Parse(name, CultureInfo.InvariantCulture));

    private void Add<T>(DataViewSchema.Annotations.Builder builder, string kind, PrimitiveDataViewType type, Func<string, T> parse)
    {
        var values = Names.Select(parse).ToArray();
        builder.Add(kind, new VectorDataViewType(type, values.Length), (ref VBuffer<T> buffer) =>
        {
            // A copy: who asks may hand the buffer on to another getter, which then writes into it.
            var editor = VBufferEditor.Create(ref buffer, values.Length);
            values.CopyTo(editor.Values);
            buffer = editor.Commit();
        });
    }
}
