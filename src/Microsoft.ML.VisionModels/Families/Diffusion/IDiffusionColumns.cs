using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What a diffusion model reads of a row and adds to it, whether it was loaded or trained. A name that is null is of no column.</summary>
internal interface IDiffusionColumns
{
    string? PromptColumnName { get; }

    string? NegativePromptColumnName => null;

    string? ClassColumnName { get; }

    string? SeedColumnName { get; }

    string? InitialImageColumnName => null;

    string? MaskColumnName => null;

    string? GeneratedImageColumnName { get; }

    string? ParametersColumnName { get; }

    DiffusionSamplingOptions Sampling { get; }

    /// <summary>The columns that are read to make images.</summary>
    IEnumerable<InputColumn> Reads =>
    [
        .. new[] { PromptColumnName, NegativePromptColumnName }.OfType<string>().Select(TextColumn.Input),
        .. new[] { ClassColumnName }.OfType<string>().Select(LabelColumn.Input),
        .. new[] { SeedColumnName }.OfType<string>().Select(SeedColumn.Input),
        .. new[] { InitialImageColumnName, MaskColumnName }.OfType<string>().Select(ImageColumn.Input),
    ];

    /// <summary>The names of the columns that are added: for each image of a row one of its own.</summary>
    IEnumerable<string?> Adds => Names(GeneratedImageColumnName).Concat(Names(ParametersColumnName));

    /// <summary>The promises of these.</summary>
    IEnumerable<SchemaShape.Column> Promises => ResultColumns.Promises([
        .. Names(GeneratedImageColumnName).Select(name => (name, (DataViewType)new ImageDataViewType(), false)), .. Names(ParametersColumnName).Select(name => (name, (DataViewType)TextDataViewType.Instance, false))]);

    /// <summary>A column's name for each image of a row.</summary>
    IEnumerable<string> Names(string? name) => name is null ? [] : Enumerable.Range(1, Sampling.ImagesPerRow).Select(i => i == 1 ? name : $"{name}{i}");
}

/// <summary>A column of seeds: whole numbers of any type.</summary>
internal static class SeedColumn
{
    public static InputColumn Input(string name) => new(name, "a whole number", type => type is NumberDataViewType number && IsWhole(number),
        column => column.Kind == SchemaShape.Column.VectorKind.Scalar && !column.IsKey && column.ItemType is NumberDataViewType number && IsWhole(number));

    public static Func<long> MakeReader(DataViewRow row, DataViewSchema.Column column)
    {
        return column.Type.RawType switch
        {
            var type when type == typeof(sbyte) => Read<sbyte>(value => value),
            var type when type == typeof(byte) => Read<byte>(value => value),
            var type when type == typeof(short) => Read<short>(value => value),
            var type when type == typeof(ushort) => Read<ushort>(value => value),
            var type when type == typeof(int) => Read<int>(value => value),
            var type when type == typeof(uint) => Read<uint>(value => value),
            var type when type == typeof(long) => Read<long>(value => value),
            _ => Read<ulong>(value => unchecked((long)value)),
        };

        Func<long> Read<T>(Func<T, long> seed)
        {
            var getter = row.GetGetter<T>(row.Schema[column.Index]);
            T value = default!;
            return () =>
            {
                getter(ref value);
                return seed(value);
            };
        }
    }

    private static bool IsWhole(NumberDataViewType type) => type.RawType != typeof(float) && type.RawType != typeof(double);
}
