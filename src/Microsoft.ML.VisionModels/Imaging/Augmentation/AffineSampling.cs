using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Images moved by affine maps, bilinearly, as Pillow's <c>Image.transform</c> does.</summary>
internal static class AffineSampling
{
    /// <summary>Moves each image by its own map.</summary>
    /// <param name="pixels">[N, C, H, W] uint8.</param>
    /// <param name="maps">
    /// For each image, where in it a place of the result comes from, in pixels: the first pixel covers 0 to 1, its center is at 0.5.
    /// </param>
    /// <param name="fill">The value of what comes from outside the image.</param>
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
