using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>The Python functions and classes that a checkpoint's pickle may name, and the values that are built for them.</summary>
internal static class PickleTorch
{
    // A tensor can be larger than its storage by repeating elements (a stride of 0). This is the largest size that such a tensor may have.
    private const long MaxExpandedBytes = 64 << 20;

    private static readonly PickleGlobal s_orderedDictionary = new("collections", "OrderedDict");
    private static readonly PickleGlobal s_tensor = new("torch._utils", "_rebuild_tensor_v2");
    private static readonly PickleGlobal s_parameter = new("torch._utils", "_rebuild_parameter");

    private static readonly Dictionary<PickleGlobal, ScalarType> s_storages = new()
    {
        [new("torch", "DoubleStorage")] = ScalarType.Float64,
        [new("torch", "FloatStorage")] = ScalarType.Float32,
        [new("torch", "HalfStorage")] = ScalarType.Float16,
        [new("torch", "BFloat16Storage")] = ScalarType.BFloat16,
        [new("torch", "LongStorage")] = ScalarType.Int64,
        [new("torch", "IntStorage")] = ScalarType.Int32,
        [new("torch", "ShortStorage")] = ScalarType.Int16,
        [new("torch", "CharStorage")] = ScalarType.Int8,
        [new("torch", "ByteStorage")] = ScalarType.Byte,
        [new("torch", "BoolStorage")] = ScalarType.Bool,
    };

    /// <summary>Looks up a name.</summary>
    /// <exception cref="CheckpointException">A pickle may not use it.</exception>
    public static PickleGlobal Global(string module, string name, string file)
    {
        var global = new PickleGlobal(module, name);
        return IsModule(global) || s_storages.ContainsKey(global) || global == s_orderedDictionary || global == s_tensor || global == s_parameter
            ? global
            : throw new CheckpointException(
                $"{file}: the pickle refers to {global}, which is not read: only tensors in dictionaries are. Save the model's state_dict() alone, or convert it to safetensors.");
    }

    /// <summary>The storage that a persistent id names: ('storage', type, key, location, count).</summary>
    public static PickleStorage Storage(object? id, string file) =>
        id is object?[] { Length: 5 or 6 } parts
        && parts is ["storage", PickleGlobal kind, string key, string, long count, ..]
        && (parts.Length == 5 || parts[5] is null)
        && s_storages.TryGetValue(kind, out var type)
        && count >= 0 && count <= long.MaxValue / type.Size()
            ? new PickleStorage(key, type, count)
            : throw new CheckpointException($"{file}: the pickle refers to something outside it that is not a tensor's storage.");

    /// <summary>The value that a call returns.</summary>
    public static object? Call(object? function, object? arguments, string file)
    {
        if (function is PickleGlobal global && arguments is object?[] values)
        {
            if (global == s_orderedDictionary && values.Length == 0)
                return new PickleDictionary();
            if (global == s_parameter && values is [PickleTensor data, ..])
                return data;
            // The fifth and sixth arguments matter for training only. The seventh can ask for negated or conjugated values, which are not supported.
            if (global == s_tensor && values is [PickleStorage storage, long offset, object?[] shape, object?[] strides, _, _, ..] && values.Skip(6).All(IsNothing))
                return Tensor(storage, offset, shape, strides, file);
        }
        throw new CheckpointException($"{file}: the pickle calls {(function as PickleGlobal)?.ToString() ?? "something that is not a function"} in a way that is not known.");
    }

    /// <summary>Creates an object, which can only be a TorchScript module. Its attributes follow later.</summary>
    public static PickleModule NewObject(object? type, object? arguments, string file) =>
        type is PickleGlobal global && IsModule(global) && arguments is object?[] { Length: 0 }
            ? new PickleModule()
            : throw new CheckpointException($"{file}: the pickle makes an object of {(type as PickleGlobal)?.ToString() ?? "something that is not a class"}, which is not read.");

    /// <summary>Adds an entry to a dictionary. Keys must be text or numbers, and different from each other.</summary>
    public static void Add(PickleDictionary dictionary, object? key, object? value, string file)
    {
        if (key is not (string or long or double or bool))
            throw new CheckpointException($"{file}: the pickle has a dictionary whose keys are neither text nor numbers.");
        if (!dictionary.TryAdd(Convert.ToString(key, CultureInfo.InvariantCulture)!, value))
            throw new CheckpointException($"{file}: the pickle has a dictionary with the key '{key}' twice.");
    }

    private static PickleTensor Tensor(PickleStorage storage, long offset, object?[] shape, object?[] strides, string file)
    {
        CheckpointException Wrong() =>
            new($"{file}: a tensor of shape {Text(shape)}, strides {Text(strides)} and offset {offset} does not lie within its storage '{storage.Key}' of {storage.Count} elements.");

        if (shape.Length != strides.Length || offset < 0 || !shape.Concat(strides).All(number => number is long and >= 0))
            throw Wrong();
        var tensor = new PickleTensor(storage, offset, [.. shape.Cast<long>()], [.. strides.Cast<long>()]);
        if (TensorTypes.ByteCount(tensor.Shape, storage.Type) is not { } bytes)
            throw Wrong();
        if (bytes == 0)
            return tensor;

        var last = tensor.Shape.Zip(tensor.Strides).Aggregate((Int128)offset, (sum, dimension) => sum + ((Int128)(dimension.First - 1) * dimension.Second));
        if (last >= storage.Count || bytes > Math.Max(storage.Count * storage.Type.Size(), MaxExpandedBytes))
            throw Wrong();
        return tensor;
    }

    // The classes of a TorchScript file are defined by source code in the file, which is not read. Only their names are used here.
    private static bool IsModule(PickleGlobal global) => global.Module == "__torch__" || global.Module.StartsWith("__torch__.", StringComparison.Ordinal);

    private static bool IsNothing(object? value) => value is null or PickleDictionary { Count: 0 };

    private static string Text(object?[] numbers) => $"[{string.Join(", ", numbers.Take(8))}{(numbers.Length > 8 ? ", ..." : "")}]";
}

/// <summary>A Python function or class that a pickle names, one of the few that <see cref="PickleTorch"/> knows.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A Python dictionary, ordered or plain. Numbers as keys are kept as text, whose hash codes are random, so that no file can provoke collisions.</summary>
internal class PickleDictionary : OrderedDictionary<string, object?>;

/// <summary>The attributes of a TorchScript module: tensors, other modules, numbers.</summary>
internal sealed class PickleModule : PickleDictionary;

/// <summary>A block of elements outside the pickle, which several tensors may share.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Count">The number of elements.</param>
internal sealed record PickleStorage(string Key, ScalarType Type, long Count);

/// <summary>A tensor: a strided view of a storage, which was checked to lie within it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>The number of elements of the storage from the tensor's first element to its last one.</summary>
    public long Extent => Shape.Contains(0) ? 0 : 1 + Shape.Zip(Strides, (size, stride) => (size - 1) * stride).Sum();

    /// <summary>Whether the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (var i = Shape.Length - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && Strides[i] != expected)
                    return false;
                expected *= Shape[i];
            }
            return true;
        }
    }
}
