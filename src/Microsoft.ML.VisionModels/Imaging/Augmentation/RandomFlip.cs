using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Mirrors images, [B, C, H, W] of any number type, each with the given probability. Gives new tensors.</summary>
internal static class RandomFlip
{
    /// <summary>Left and right change sides.</summary>
    public static Tensor Horizontal(Tensor images, Generator generator, double probability = 0.5) => Flip(images, 3, generator, probability);

    /// <summary>Top and bottom change sides.</summary>
    public static Tensor Vertical(Tensor images, Generator generator, double probability = 0.5) => Flip(images, 2, generator, probability);

    private static Tensor Flip(Tensor images, long dimension, Generator generator, double probability)
    {
        using var scope = NewDisposeScope();
        using Scalar bound = probability;
        var mirrored = rand(images.shape[0], generator: generator).lt(bound).nonzero().squeeze(1).to(images.device); // those drawn
        return images.clone().index_copy_(0, mirrored, images.index_select(0, mirrored).flip(dimension)).MoveToOuterDisposeScope();
    }
}
