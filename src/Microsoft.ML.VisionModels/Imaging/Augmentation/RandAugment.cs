using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>RandAugment (Cubuk et al., arXiv 1909.13719): for each image a few of fourteen operations are drawn, all with the same magnitude.</summary>
/// <remarks>
/// The ranges of the operations are torchvision's. Two things differ: images are moved with bilinear interpolation, where torchvision takes
/// the nearest pixel by default, and the threshold of solarize starts at 256, so that magnitude 0 does not change white pixels.
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
    /// <param name="generator">The source of random numbers.</param>
    /// <param name="operations">How many operations each image gets.</param>
    /// <param name="magnitude">The strength of the operations, from 0 for no change to 1. Autocontrast and equalize ignore it.</param>
    /// <param name="fill">The value of pixels that come from outside the image.</param>
    /// <returns>A new tensor, [B, 3, H, W] uint8.</returns>
    public static Tensor Apply(Tensor pixels, Generator generator, int operations = 2, double magnitude = 0.3, byte fill = 0)
    {
        using var scope = NewDisposeScope();
        var result = pixels.clone();
        var count = (int)pixels.shape[0];
        for (var i = 0; i < operations; i++)
        {
            var drawn = generator.Integers(count, OperationCount);
            var signs = generator.Integers(count, 2).Select(bit => (2 * bit) - 1).ToArray();
            // Images that drew the same operation are changed together.
            foreach (var group in Enumerable.Range(0, count).GroupBy(image => (Operation)drawn[image]).Where(g => g.Key != Operation.Identity))
            {
                var rows = tensor(group.Select(image => (long)image).ToArray(), device: pixels.device);
                var strengths = group.Select(image => (float)(signs[image] * magnitude)).ToArray();
                result.index_copy_(0, rows, Apply(group.Key, result.index_select(0, rows), strengths, fill));
            }
        }
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Applies one operation to images [N, 3, H, W], with a magnitude from -1 to 1 for each. Some operations ignore its sign.</summary>
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

        // All images have the same magnitude, apart from the sign.
        double Strength() => Math.Abs(magnitudes[0]);
    }
}

/// <summary>Moves images by affine maps, with bilinear interpolation, as Pillow's <c>Image.transform</c> does.</summary>
internal static class AffineSampling
{
    /// <summary>Moves each image by its own map.</summary>
    /// <param name="pixels">[N, C, H, W] uint8.</param>
    /// <param name="maps">
    /// A map for each image, from positions in the result to positions in the image, in pixels. The first pixel reaches from 0 to 1, so
    /// its center is at 0.5.
    /// </param>
    /// <param name="fill">The value of pixels that come from outside the image.</param>
    /// <returns>[N, C, H, W] uint8.</returns>
    public static Tensor Sample(Tensor pixels, IReadOnlyList<Matrix3x2> maps, byte fill = 0)
    {
        var (height, width) = (pixels.shape[2], pixels.shape[3]);
        using var scope = NewDisposeScope();
        using Scalar edge = 1, filling = fill;

        // libtorch's coordinates run from -1 to 1 across the image.
        var toPixels = Matrix3x2.CreateTranslation(1, 1) * Matrix3x2.CreateScale(width / 2f, height / 2f);
        Matrix3x2.Invert(toPixels, out var fromPixels);
        var rows = maps.Select(map => toPixels * map * fromPixels).SelectMany(m => new[] { m.M11, m.M21, m.M31, m.M12, m.M22, m.M32 });
        var theta = tensor(rows.ToArray(), [maps.Count, 2, 3], device: pixels.device);

        var grid = nn.functional.affine_grid(theta, pixels.shape, align_corners: false); // [N, H, W, 2]
        var (x, y) = (grid.select(3, 0), grid.select(3, 1));                             // [N, H, W]
        var outside = x.abs().gt(edge).logical_or_(y.abs().gt(edge)).unsqueeze(1);       // [N, 1, H, W]
        return nn.functional.grid_sample(pixels.to(float32), grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false)
            .masked_fill_(outside, filling).ToPixels().MoveToOuterDisposeScope();
    }
}
