using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Changes brightness, contrast and saturation of each image at random, as torchvision's <c>ColorJitter</c> does (which also knows the hue).</summary>
internal static class ColorJitter
{
    /// <summary>Changes each by a factor of 1 - strength to 1 + strength, in an order that is drawn for the batch.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8.</param>
    /// <param name="generator">Where the random numbers come from.</param>
    /// <param name="strength">0 for none, to 1.</param>
    /// <returns>[B, 3, H, W] uint8, new.</returns>
    public static Tensor Apply(Tensor pixels, Generator generator, double strength)
    {
        using var scope = NewDisposeScope();
        var order = randperm(3, generator: generator).data<long>().ToArray();
        Func<Tensor, Tensor, Tensor>[] operations = [ImageOperations.Brightness, ImageOperations.Contrast, ImageOperations.Color];
        var result = pixels;
        foreach (var i in order)
        {
            var factor = rand([pixels.shape[0], 1, 1, 1], generator: generator).Mul(2 * strength).Add(1 - strength).to(pixels.device); // [B, 1, 1, 1]
            result = operations[i](result, factor);
        }
        return result.MoveToOuterDisposeScope();
    }
}
