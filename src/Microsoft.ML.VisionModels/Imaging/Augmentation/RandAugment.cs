using System.Numerics;
using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>RandAugment (Cubuk et al., arXiv 1909.13719): some operations out of fourteen, drawn for each image, all at one magnitude.</summary>
/// <remarks>
/// The operations' ranges are torchvision's. Images are moved bilinearly, where torchvision takes the nearest pixel by default, and
/// solarizing starts at the threshold 256, so that magnitude 0 leaves white white.
/// </remarks>
internal static class RandAugment
{
    internal enum Operation
    {
        Identity, ShearX, ShearY, TranslateX, TranslateY, Rotate, Brightness, Color, Contrast, Sharpness, Posterize, Solarize, AutoContrast, Equalize,
    }

    private static readonly int OperationCount = Enum.GetValues<Operation>().Length;

    /// <summary>Changes each image by operations that are drawn for it, one after the other.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8.</param>
    /// <param name="generator">Where the random numbers come from.</param>
    /// <param name="operations">How many operations each image gets.</param>
    /// <param name="magnitude">How strong they are, of 0 (no change, except by autocontrast and equalize, which have no strength) to 1.</param>
    /// <param name="fill">The value of what moves in from outside the image.</param>
    /// <returns>[B, 3, H, W] uint8, new.</returns>
    public static Tensor Apply(Tensor pixels, Generator generator, int operations = 2, double magnitude = 0.3, byte fill = 0)
    {
        using var scope = NewDisposeScope();
        var result = pixels.clone();
        var count = (int)pixels.shape[0];
        for (var i = 0; i < operations; i++)
        {
            var drawn = generator.Integers(count, OperationCount);
            var signs = generator.Integers(count, 2).Select(bit => (2 * bit) - 1).ToArray();
            // Images with the same operation go together.
            foreach (var group in Enumerable.Range(0, count).GroupBy(image => (Operation)drawn[image]).Where(g => g.Key != Operation.Identity))
            {
                var rows = tensor(group.Select(image => (long)image).ToArray(), device: pixels.device);
                var strengths = group.Select(image => (float)(signs[image] * magnitude)).ToArray();
                result.index_copy_(0, rows, Apply(group.Key, result.index_select(0, rows), strengths, fill));
            }
        }
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>One operation on images [N, 3, H, W], with a signed magnitude for each, -1 to 1; of some operations the sign means nothing.</summary>
    internal static Tensor Apply(Operation operation, Tensor pixels, float[] magnitudes, byte fill)
    {
        var (height, width) = ((float)pixels.shape[2], (float)pixels.shape[3]);
        return operation switch
        {
            Operation.ShearX => Move(m => new(1, 0, 0.3f * m, 1, 0, 0)),
            Operation.ShearY => Move(m => new(1, 0.3f * m, 0, 1, 0, 0)),
            Operation.TranslateX => Move(m => Matrix3x2.CreateTranslation(MathF.Truncate(150f / 331 * width * m), 0)),
            Operation.TranslateY => Move(m => Matrix3x2.CreateTranslation(0, MathF.Truncate(150f / 331 * height * m))),
            Operation.Rotate => Move(m => Matrix3x2.CreateRotation(m * MathF.PI / 6, new(width / 2, height / 2))),
            Operation.Brightness => Enhance(ImageOperations.Brightness),
            Operation.Color => Enhance(ImageOperations.Color),
            Operation.Contrast => Enhance(ImageOperations.Contrast),
            Operation.Sharpness => Enhance(ImageOperations.Sharpness),
            Operation.Posterize => ImageOperations.Posterize(pixels, 8 - (int)Math.Round(4 * Strength())),
            Operation.Solarize => ImageOperations.Solarize(pixels, 256 - (int)Math.Round(256 * Strength())),
            Operation.AutoContrast => ImageOperations.AutoContrast(pixels),
            Operation.Equalize => ImageOperations.Equalize(pixels),
            _ => pixels.alias(),
        };

        Tensor Move(Func<float, Matrix3x2> map) => AffineSampling.Sample(pixels, Array.ConvertAll(magnitudes, m => map(m)), fill);

        Tensor Enhance(Func<Tensor, Tensor, Tensor> enhancement)
        {
            using var factor = tensor(Array.ConvertAll(magnitudes, m => 1 + (0.9f * m)), [magnitudes.Length, 1, 1, 1], device: pixels.device);
            return enhancement(pixels, factor);
        }

        // The same for all images but for the sign.
        double Strength() => Math.Abs(magnitudes[0]);
    }
}
