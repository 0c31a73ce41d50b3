using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>Element types with their names in safetensors and their sizes, and shapes as numbers and text.</summary>
internal static class TensorTypes
{
    /// <summary>The most dimensions that all operations of libtorch support.</summary>
    public const int MaxDimensions = 64;

    private static readonly (string Name, ScalarType Type, int Size)[] s_types =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>The type with a name of safetensors; null where the type is not supported.</summary>
    public static ScalarType? Parse(string? name)
    {
        foreach (var entry in s_types)
        {
            if (entry.Name == name)
                return entry.Type;
        }
        return null;
    }

    /// <summary>The type's name in safetensors.</summary>
    /// <exception cref="NotSupportedException">Safetensors has no such type.</exception>
    public static string Name(this ScalarType type) => Entry(type).Name;

    /// <summary>The size of an element in bytes.</summary>
    public static int Size(this ScalarType type) => Entry(type).Size;

    /// <summary>The number of elements of a shape, which must be a valid one.</summary>
    public static long Product(this IEnumerable<long> shape) => shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The size in bytes of a shape from a file; null where no tensor can have the shape: it is negative, too large or of too many dimensions.</summary>
    public static long? ByteCount(IReadOnlyList<long> shape, ScalarType type)
    {
        if (shape.Count > MaxDimensions)
            return null;

        Int128 bytes = type.Size();
        foreach (var size in shape)
        {
            bytes *= Math.Max(size, 1); // libtorch checks the other dimensions of an empty tensor, too.
            if (size < 0 || bytes > long.MaxValue)
                return null;
        }
        return shape.Contains(0) ? 0 : (long)bytes;
    }

    /// <summary>A shape as text: <c>[2, 3]</c>.</summary>
    public static string Text(this IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    private static (string Name, ScalarType Type, int Size) Entry(ScalarType type)
    {
        foreach (var entry in s_types)
        {
            if (entry.Type == type)
                return entry;
        }
        throw new NotSupportedException($"Tensors of type {type} are not stored in checkpoints.");
    }
}
