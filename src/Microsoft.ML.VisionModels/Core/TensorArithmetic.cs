using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// Arithmetic between tensors and numbers that the garbage collector cannot break. TorchSharp wraps every number in a <see cref="Scalar"/>
/// (also the factor 1 of each sum) and does not keep that object alive while libtorch reads it: on a busy machine with many threads its
/// finalizer has been seen to run too early. These methods dispose of the scalar after the call, which keeps it alive until then. Code
/// that calls libtorch's own methods does the same with <c>using Scalar</c>, or keeps its scalars in fields.
/// </summary>
/// <remarks>As in PyTorch, an integer keeps the tensor's element type, and a <see cref="double"/> turns integers into floats.</remarks>
internal static class TensorArithmetic
{
    private static readonly Scalar s_zero = 0, s_one = 1;

    public static Tensor Add(this Tensor x, Tensor y) => x.add(y, s_one);

    public static Tensor Add(this Tensor x, double y)
    {
        using Scalar number = y;
        return x.add(number, s_one);
    }

    public static Tensor Sub(this Tensor x, double y) => x.Add(-y);

    public static Tensor Mul(this Tensor x, double y)
    {
        using Scalar number = y;
        return x.mul(number);
    }

    public static Tensor Mul(this Tensor x, long y)
    {
        using Scalar number = y;
        return x.mul(number);
    }

    public static Tensor Div(this Tensor x, double y)
    {
        using Scalar number = y;
        return x.div(number);
    }

    /// <summary>Values below <paramref name="least"/> become <paramref name="least"/>.</summary>
    public static Tensor ClampMin(this Tensor x, double least)
    {
        using Scalar number = least;
        return x.clamp_min(number);
    }

    /// <summary>The numbers from 0 to <paramref name="count"/> - 1, [count] int64.</summary>
    public static Tensor Arange(long count, Device? device = null)
    {
        using Scalar stop = count;
        return arange(s_zero, stop, s_one, ScalarType.Int64, device);
    }

    /// <summary>The value of a tensor with one element, of any element type and on any device.</summary>
    public static double Item(this Tensor x)
    {
        using var number = x.ToScalar();
        return number.ToDouble();
    }
}

/// <summary>The results of a batch as arrays, one a row.</summary>
internal static class TensorRows
{
    /// <summary>A batch [B, ...], of any element type and on any device, as B arrays.</summary>
    public static float[][] ToRows(this Tensor batch)
    {
        var values = batch.flatten(1).to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray();
        return [.. values.Chunk(values.Length / (int)batch.shape[0])];
    }
}
