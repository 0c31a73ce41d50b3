namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Points spread evenly over an image (reference: facebookresearch/segment-anything, utils/amg.py).</summary>
internal static class PointGrid
{
    /// <summary>Points in fractions of the image's width and height, row by row, the outer ones half a step from its edges.</summary>
    public static (double X, double Y)[] Build(int pointsPerSide)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pointsPerSide);
        var offset = 1 / (2.0 * pointsPerSide);
        var step = pointsPerSide == 1 ? 0 : (1 - offset - offset) / (pointsPerSide - 1);
        double[] side = [.. Enumerable.Range(0, pointsPerSide).Select(i => i * step + offset)];
        if (pointsPerSide > 1)
            side[^1] = 1 - offset;
        return [.. side.SelectMany(_ => side, (y, x) => (x, y))];
    }

    /// <summary>A grid for the whole image and each layer of crops.</summary>
    /// <param name="pointsPerSide">Of the grid for the whole image.</param>
    /// <param name="layers">How many layers there are beside it.</param>
    /// <param name="downscale">By how much each layer's grid has fewer points per side than the one before.</param>
    /// <exception cref="ArgumentException">A layer would have no points.</exception>
    public static (double X, double Y)[][] BuildLayers(int pointsPerSide, int layers, int downscale)
    {
        if (pointsPerSide / Math.Pow(downscale, layers) < 1)
            throw new ArgumentException($"{pointsPerSide} points per side, divided by {downscale} for each of {layers} layers of crops, leave none.");
        return [.. Enumerable.Range(0, layers + 1).Select(layer => Build((int)(pointsPerSide / Math.Pow(downscale, layer))))];
    }
}
