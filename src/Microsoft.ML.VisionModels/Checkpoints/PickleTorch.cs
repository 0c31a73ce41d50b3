using System.Globalization;
using System.Numerics;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// The Python functions and classes of which weights consist, and the values that are built for them. Whatever else a pickle names,
/// such as a training's arguments, is a <see cref="PickleOther"/>: it is not looked up, not called, and nothing of it is kept.
/// </summary>
internal static class PickleTorch
{
    // A tensor can be larger than its storage by repeating elements (a stride of 0). This is the largest size that such a tensor may have.
    public const long MaxExpandedBytes = 64 << 20;

    private static readonly PickleGlobal
        s_orderedDictionary = new("collections", "OrderedDict"),
        s_defaultDictionary = new("collections", "defaultdict"),
        s_oldTensor = new("torch._utils", "_rebuild_tensor"),
        s_tensor = new("torch._utils", "_rebuild_tensor_v2"),
        s_parameter = new("torch._utils", "_rebuild_parameter"),
        s_parameterWithState = new("torch._utils", "_rebuild_parameter_with_state"),
        s_tensorOfType = new("torch._tensor", "_rebuild_from_type_v2");

    private static readonly HashSet<PickleGlobal> s_functions =
        [s_orderedDictionary, s_defaultDictionary, s_oldTensor, s_tensor, s_parameter, s_parameterWithState, s_tensorOfType];

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

    /// <summary>Looks up a name: a <see cref="PickleGlobal"/> where weights consist of it.</summary>
    public static object Global(string module, string name)
    {
        var global = new PickleGlobal(module, name);
        return IsModule(global) || s_storages.ContainsKey(global) || s_functions.Contains(global) ? global : new PickleOther(global.ToString());
    }

    /// <summary>The storage that a persistent id names: ('storage', type, key, location, count). One of a type that is not read is something else.</summary>
    public static object Storage(object? id, string file)
    {
        if (id is object?[] { Length: 5 or 6 } parts && parts is ["storage", var kind, string key, string, long count, ..] && (parts.Length == 5 || parts[5] is null))
        {
            if (kind is PickleOther)
                return kind;
            if (kind is PickleGlobal known && s_storages.TryGetValue(known, out var type) && count >= 0 && count <= long.MaxValue / type.Size())
                return new PickleStorage(key, type, count);
        }
        throw new CheckpointException($"{file}: the pickle refers to something outside it that is not a tensor's storage.");
    }

    /// <summary>The value that a call returns.</summary>
    public static object? Call(object? function, object? arguments, string file)
    {
        if (function is PickleOther other)
            return other;
        if (function is PickleGlobal global && arguments is object?[] values)
        {
            if (global == s_orderedDictionary && values is [] or [List<object?>])
                return Dictionary(values is [List<object?> pairs] ? pairs : [], file);
            if (global == s_defaultDictionary)
                return new PickleDictionary();
            if ((global == s_parameter || global == s_parameterWithState) && values is [PickleTensor or PickleOther, ..])
                return values[0];
            // A tensor with a class or attributes of its own: a function, the class, the function's arguments, the attributes.
            if (global == s_tensorOfType && values is [PickleGlobal or PickleOther, _, object?[] inner, _] && values[0] as PickleGlobal != s_tensorOfType)
                return Call(values[0], inner, file);
            if ((global == s_tensor || global == s_oldTensor) && values is [PickleOther unread, ..])
                return unread;
            // The fifth and sixth arguments matter for training only. The seventh can ask for negated or conjugated values, which are not supported.
            if ((global == s_tensor ? values.Length >= 6 : global == s_oldTensor && values.Length == 4)
                && values is [PickleStorage storage, long offset, object?[] shape, object?[] strides, ..] && values.Skip(6).All(IsNothing))
                return Tensor(storage, offset, shape, strides, file);
        }
        throw new CheckpointException($"{file}: the pickle calls {(function as PickleGlobal)?.ToString() ?? "something that is not a function"} in a way that is not known.");
    }

    /// <summary>Creates an object: a TorchScript module, whose attributes follow later, a dictionary of a known class, or something else.</summary>
    public static object NewObject(object? type, object? arguments, string file) => type switch
    {
        PickleOther other => other,
        PickleGlobal global when IsModule(global) && arguments is object?[] { Length: 0 } => new PickleModule(),
        PickleGlobal global when (global == s_orderedDictionary || global == s_defaultDictionary) && arguments is object?[] => new PickleDictionary(),
        _ => throw new CheckpointException($"{file}: the pickle makes an object of {(type as PickleGlobal)?.ToString() ?? "something that is not a class"}, which is not read."),
    };

    /// <summary>
    /// Adds an entry to a dictionary. Keys that are text or numbers must be different from each other; entries with other keys, which
    /// are no names of tensors, are passed over.
    /// </summary>
    public static void Add(PickleDictionary dictionary, object? key, object? value, string file)
    {
        if (key is List<object?> or PickleDictionary)
            throw new CheckpointException($"{file}: the pickle has a dictionary with a key that cannot be one.");
        if (key is not (string or long or double or bool or BigInteger))
            return;
        if (!dictionary.TryAdd(Convert.ToString(key, CultureInfo.InvariantCulture)!, value))
            throw new CheckpointException($"{file}: the pickle has a dictionary with the key '{key}' twice.");
    }

    /// <summary>A dictionary of pairs, as Python 2 wrote those in order.</summary>
    private static PickleDictionary Dictionary(List<object?> pairs, string file)
    {
        var dictionary = new PickleDictionary();
        foreach (var pair in pairs)
        {
            if (pair is not (List<object?> { Count: 2 } or object?[] { Length: 2 }))
                throw new CheckpointException($"{file}: the pickle makes a dictionary of something else than pairs.");
            var both = (IList<object?>)pair;
            Add(dictionary, both[0], both[1], file);
        }
        return dictionary;
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

/// <summary>A Python function or class that weights consist of, one of the few that <see cref="PickleTorch"/> knows.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>
/// Stands for a function or class that is none of weights, and for whatever is made of it: numbers of NumPy, arguments, sets, dates,
/// paths. What a pickle does to it, such as setting attributes, leaves it as it is.
/// </summary>
/// <param name="Name">The function or class, for messages.</param>
internal sealed record PickleOther(string Name);

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
