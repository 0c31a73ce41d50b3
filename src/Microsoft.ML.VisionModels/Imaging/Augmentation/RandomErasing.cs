using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Random erasing (Zhong et al., arXiv 1708.04896): a box of some images is overwritten with noise.</summary>
internal static class RandomErasing
{
    /// <summary>Overwrites, of each image with the given probability, a box of 2% to a third of its area with uniform noise.</summary>
    /// <param name="pixels">[B, C, H, W] uint8.</param>
    /// <param name="generator">Where the random numbers come from.</param>
    /// <param name="probability">The chance of each image.</param>
    /// <returns>[B, C, H, W] uint8, new.</returns>
    public static Tensor Apply(Tensor pixels, Generator generator, double probability = 0.25)
    {
        using var scope = NewDisposeScope();
        var count = (int)pixels.shape[0];
        var chances = generator.Uniform(count);
        var boxes = Box.Draw(generator, count, new((int)pixels.shape[2], (int)pixels.shape[3]), area: (0.02, 1.0 / 3), ratio: (0.3, 3.3));
        var result = pixels.clone();
        for (var i = 0; i < count; i++)
        {
            if (chances[i] >= probability)
                continue;
            var erased = boxes[i].Of(result[i]);
            erased.copy_(randint(0, 256, erased.shape, uint8, generator: generator));
        }
        return result.MoveToOuterDisposeScope();
    }
}
