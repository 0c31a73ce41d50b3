using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>The Python names that a checkpoint's pickle may use, and what becomes of them.</summary>
internal static class PickleTorch
{
    // More than its storage holds, a tensor may claim by repeating elements (a stride of 0), up to this.
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

    /// <summary>A name that may be used.</summary>
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

    /// <summary>What a call makes.</summary>
    public static object? Call(object? function, object? arguments, string file)
    {
        if (function is PickleGlobal global && arguments is object?[] values)
        {
            if (global == s_orderedDictionary && values.Length == 0)
                return new PickleDictionary();
            if (global == s_parameter && values is [PickleTensor data, ..])
                return data;
            // The fifth and sixth argument are for training; a seventh would speak of bits that flip or conjugate the values.
            if (global == s_tensor && values is [PickleStorage storage, long offset, object?[] shape, object?[] strides, _, _, ..] && values.Skip(6).All(IsNothing))
                return Tensor(storage, offset, shape, strides, file);
        }
        throw new CheckpointException($"{file}: the pickle calls {(function as PickleGlobal)?.ToString() ?? "something that is not a function"} in a way that is not known.");
    }

    /// <summary>An object without its attributes yet: a TorchScript module.</summary>
    public static PickleModule NewObject(object? type, object? arguments, string file) =>
        type is PickleGlobal global && IsModule(global) && arguments is object?[] { Length: 0 }
            ? new PickleModule()
            : throw new CheckpointException($"{file}: the pickle makes an object of {(type as PickleGlobal)?.ToString() ?? "something that is not a class"}, which is not read.");

    /// <summary>Adds an entry; keys are text or numbers, once each.</summary>
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

    // The classes of a TorchScript file are described in the file itself; they are only names here.
    private static bool IsModule(PickleGlobal global) => global.Module == "__torch__" || global.Module.StartsWith("__torch__.", StringComparison.Ordinal);

    private static bool IsNothing(object? value) => value is null or PickleDictionary { Count: 0 };

    private static string Text(object?[] numbers) => $"[{string.Join(", ", numbers.Take(8))}{(numbers.Length > 8 ? ", ..." : "")}]";
}
