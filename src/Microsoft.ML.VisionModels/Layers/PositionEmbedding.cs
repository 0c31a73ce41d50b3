using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>How learned positions are resampled for a grid that they were not trained on. All are bicubic; results differ.</summary>
internal enum PositionInterpolation
{
    /// <summary>To the new size, as Hugging Face does since 2025.</summary>
    Size,

    /// <summary>By the factor (n + 0.1) / native, as DINO, DINOv2 and the older Hugging Face releases do.</summary>
    ScaleFactor,

    /// <summary>To the new size, with antialiasing, as DINOv2 with registers and timm do.</summary>
    AntialiasedSize,
}

internal static class PositionEmbedding
{
    /// <summary>Positions for another grid.</summary>
    /// <param name="positions">[1, prefix + from.Area, D]: rows for the prefix tokens (CLS, distillation), then the grid row by row.</param>
    /// <param name="from">The grid that the positions are for.</param>
    /// <param name="to">The grid wanted.</param>
    /// <param name="rule">How to resample.</param>
    /// <returns>
    /// [1, prefix + to.Area, D]; the prefix rows as they are. The same tensor where the grids agree, unless <see cref="PositionInterpolation.ScaleFactor"/>
    /// moves the places all the same.
    /// </returns>
    public static Tensor Interpolate(Tensor positions, ImageSize from, ImageSize to, PositionInterpolation rule)
    {
        if (from == to && rule != PositionInterpolation.ScaleFactor)
            return positions;
        var width = positions.shape[2];
        var prefix = positions.shape[1] - from.Area;
        var grid = positions.narrow(1, prefix, from.Area)
            .reshape(1, from.Height, from.Width, width)
            .permute(0, 3, 1, 2);                                       // [1, D, h, w]
        grid = rule switch
        {
            PositionInterpolation.Size => F.interpolate(grid, size: [to.Height, to.Width], mode: InterpolationMode.Bicubic, align_corners: false),
            PositionInterpolation.AntialiasedSize => F.interpolate(grid, size: [to.Height, to.Width], mode: InterpolationMode.Bicubic, align_corners: false, antialias: true),
            PositionInterpolation.ScaleFactor => F.interpolate(grid,
                scale_factor: [(to.Height + 0.1) / from.Height, (to.Width + 0.1) / from.Width],
                mode: InterpolationMode.Bicubic, align_corners: false, recompute_scale_factor: false),
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "Unknown interpolation."),
        };
        var rows = grid.permute(0, 2, 3, 1).reshape(1, to.Area, width);   // [1, H W, D]
        return prefix == 0 ? rows : cat([positions.narrow(1, 0, prefix), rows], 1);
    }
}
