using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Dropout whose mask comes from a generator of its own instead of libtorch's global one.</summary>
/// <param name="rate">The share of elements set to zero while training.</param>
/// <param name="generator">The source of the masks, owned by the caller. Needed only for training at a rate above zero.</param>
internal sealed class Dropout(double rate, Generator? generator) : nn.Module<Tensor, Tensor>(nameof(Dropout))
{
    public bool Active => training && rate > 0;

    public override Tensor forward(Tensor x) => Active ? x * RandomMask.Keep(x.shape, rate, x, generator) : x;
}

/// <summary>Stochastic depth: drops the whole residual branch of an image (arXiv 1603.09382).</summary>
/// <param name="rate">The share of images whose branch is dropped while training.</param>
/// <param name="generator">The source of the masks, owned by the caller. Needed only for training at a rate above zero.</param>
internal sealed class DropPath(double rate, Generator? generator) : nn.Module<Tensor, Tensor>(nameof(DropPath))
{
    public override Tensor forward(Tensor x)
    {
        if (!training || rate == 0)
            return x;
        long[] onePerImage = [x.shape[0], .. Enumerable.Repeat(1L, (int)x.dim() - 1)];   // [B, 1, ...]
        return x * RandomMask.Keep(onePerImage, rate, x, generator);
    }
}

internal static class RandomMask
{
    /// <summary>Zeros at <paramref name="rate"/>, elsewhere 1 / (1 - rate), so that the mean stays. Drawn on the generator's device.</summary>
    public static Tensor Keep(long[] shape, double rate, Tensor like, Generator? generator)
    {
        if (generator is null)
            throw new InvalidOperationException("A network with dropout or drop path needs a torch.Generator to train; give one to its constructor.");
        using Scalar dropped = rate, kept = 1 - rate;
        var keep = rand(shape, device: generator.device, generator: generator).ge(dropped);
        return keep.to(like.dtype, like.device).div_(kept);
    }
}
