using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Sums that are safe from the garbage collector. TorchSharp's <c>+</c> makes a scalar of the factor 1 and does not keep it alive while
/// libtorch reads it: on a busy machine with many threads, its finaliser has been seen to run before.
/// </summary>
internal static class TensorSums
{
    private static readonly TorchSharp.Scalar s_one = 1;

    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, s_one);
}
