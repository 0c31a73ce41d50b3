using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Makes the parameters of networks. All are made here, so that none has memory that a file's <see cref="WeightAllowance"/> does not allow.</summary>
internal static class Parameters
{
    /// <summary>Without values: they are loaded or drawn.</summary>
    public static Parameter Empty(params long[] shape) => new(empty(Allowed(shape)));

    public static Parameter Zeros(params long[] shape) => Full(0, shape);

    public static Parameter Full(double value, params long[] shape)
    {
        using Scalar number = value;
        return new(full(Allowed(shape), number));
    }

    /// <summary>What a network keeps beside its parameters: no gradient reaches it, and checkpoints hold it.</summary>
    public static Tensor Buffer(double value, params long[] shape)
    {
        using Scalar number = value;
        return full(Allowed(shape), number).DetachFromDisposeScope();
    }

    public static LayerNorm LayerNorm(int width, double eps)
    {
        WeightAllowance.Take(width);
        WeightAllowance.Take(width);
        return nn.LayerNorm(width, eps);
    }

    private static long[] Allowed(long[] shape)
    {
        WeightAllowance.Take(shape);
        return shape;
    }
}
