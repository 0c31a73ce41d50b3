using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>Reads and writes the elements of tensors, in row-major order and little-endian.</summary>
internal static class TensorBytes
{
    // Large enough to copy at full speed, and small enough to stay in the cache while element types are converted.
    private const int ChunkBytes = 4 << 20;

    /// <summary>Fills a tensor with the next elements of a stream, which have the given type.</summary>
    /// <exception cref="EndOfStreamException">The stream ends early.</exception>
    public static void Read(Stream stream, ScalarType type, Tensor target)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (!target.is_contiguous())
        {
            var whole = empty(target.shape, type);
            Read(stream, type, whole);
            target.copy_(whole);
            return;
        }

        var inPlace = target.dtype == type && target.device_type == DeviceType.CPU;
        var flat = target.detach().view(-1); // [count]
        var converted = inPlace ? null : empty(Math.Min(flat.shape[0], ChunkBytes / type.Size()), type);
        foreach (var part in Parts(flat, type.Size()))
        {
            if (converted is null)
            {
                stream.ReadExactly(part.bytes);
                continue;
            }
            using var source = converted.narrow(0, 0, part.shape[0]);
            stream.ReadExactly(source.bytes);
            part.copy_(source);
        }
    }

    /// <summary>Writes a tensor's elements.</summary>
    public static void Write(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1); // [count]
        foreach (var part in Parts(flat, tensor.dtype.Size()))
            stream.Write(part.bytes);
    }

    private static IEnumerable<Tensor> Parts(Tensor flat, int elementSize)
    {
        var step = ChunkBytes / elementSize;
        for (long start = 0; start < flat.shape[0]; start += step)
        {
            using var part = flat.narrow(0, start, Math.Min(step, flat.shape[0] - start));
            yield return part;
        }
    }
}
