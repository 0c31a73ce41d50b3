using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <content>Polygons around masks, and back.</content>
public sealed partial class RunLengthMask
{
    /// <summary>The lines around the mask's parts and holes; pixels that touch at an edge or a corner are of one part.</summary>
    /// <param name="tolerance">
    /// By how many pixels a line may be off (Douglas and Peucker, 1973). 0, the default, keeps every corner: <see cref="FromPolygons"/>
    /// then gives the same mask. Where 3 corners cannot follow a small part so closely, it is followed more closely.
    /// </param>
    /// <returns>The parts from left to right; none where the mask is empty.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The tolerance is negative or not finite.</exception>
    public IReadOnlyList<MaskPolygon> ToPolygons(double tolerance = 0)
    {
        if (!double.IsFinite(tolerance) || tolerance < 0)
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "The tolerance is a number of pixels from 0 on.");
        var polygons = ContourTracer.Trace(new ColumnSegments(this));
        return tolerance == 0 ? polygons : [.. polygons.Select(polygon => RingSimplifier.Simplify(polygon, tolerance))];
    }

    /// <summary>Makes a mask of the pixels whose centers lie in a polygon and not in its holes (the even-odd rule), in any of the polygons.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="polygons">The polygons; what lies outside the image is cut off.</param>
    /// <exception cref="ArgumentException">The size is not positive.</exception>
    public static RunLengthMask FromPolygons(int height, int width, IEnumerable<MaskPolygon> polygons)
    {
        ArgumentNullException.ThrowIfNull(polygons);
        return PolygonRasterizer.Rasterize(new ImageSize(height, width), polygons);
    }
}
