using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// Arithmetic with numbers that is safe from the garbage collector. TorchSharp makes a <see cref="Scalar"/> of every number that meets a
/// tensor, and of the factor 1 in each sum, and does not keep it alive while libtorch reads it: on a busy machine with many threads, its
/// finalizer has been seen to run before. Here each is disposed of after the call, and so lives until then. Elsewhere a scalar is held
/// likewise (<c>using Scalar</c>), or kept in a field.
/// </summary>
/// <remarks>As in PyTorch, an integer leaves a tensor's number type as it is, and a <see cref="double"/> makes floats of integers.</remarks>
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

    /// <summary>What is less becomes <paramref name="least"/>.</summary>
    public static Tensor ClampMin(this Tensor x, double least)
    {
        using Scalar number = least;
        return x.clamp_min(number);
    }

    /// <summary>0, 1, and so on to before <paramref name="count"/>, [count] int64.</summary>
    public static Tensor Arange(long count, Device? device = null)
    {
        using Scalar stop = count;
        return arange(s_zero, stop, s_one, ScalarType.Int64, device);
    }

    /// <summary>The number of a tensor that has only one, of any number type and on any device.</summary>
    public static double Item(this Tensor x)
    {
        using var number = x.ToScalar();
        return number.ToDouble();
    }
}
