using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A Python function or class that a pickle refers to: only ever one of the few that <see cref="PickleReader"/> knows.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A Python dictionary, ordered or plain. Keys that are numbers are kept as text, whose hash a file cannot foresee.</summary>
internal class PickleDictionary : OrderedDictionary<string, object?>;

/// <summary>A TorchScript module, by its attributes: tensors, other modules, numbers.</summary>
internal sealed class PickleModule : PickleDictionary;

/// <summary>A block of elements elsewhere in the file, which several tensors may share.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Count">The number of elements.</param>
internal sealed record PickleStorage(string Key, ScalarType Type, long Count);

/// <summary>A tensor: a strided view of a storage, known to lie within it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>The number of elements from the first to the last, those between included.</summary>
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
