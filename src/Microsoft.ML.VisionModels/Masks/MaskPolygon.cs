using System.Drawing;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// A part of a mask that hangs together, as a line around it and lines around its holes. Corners are pixels' corners: a pixel at (x, y)
/// reaches from there to (x + 1, y + 1). Each line goes from its last corner back to its first.
/// </summary>
/// <param name="Outline">The corners of the line around the part; clockwise on the screen, as <see cref="RunLengthMask.ToPolygons"/> has them.</param>
/// <param name="Holes">The corners of the line around each hole; counterclockwise.</param>
public sealed record MaskPolygon(IReadOnlyList<Point> Outline, IReadOnlyList<IReadOnlyList<Point>> Holes)
{
    /// <summary>
    /// One line around all parts, holes left out: what file formats need that have no holes and one line for each object. Parts and holes
    /// are linked by bridges without width, there and back between the corners that are closest, as Ultralytics' converter links them.
    /// </summary>
    /// <param name="polygons">The parts, at least one.</param>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static IReadOnlyList<Point> Join(IEnumerable<MaskPolygon> polygons)
    {
        ArgumentNullException.ThrowIfNull(polygons);
        var joined = RingBridges.Join(polygons.Select(polygon => RingBridges.Join([polygon.Outline, .. polygon.Holes])));
        return joined.Count > 0 ? joined : throw new ArgumentException("There are no polygons.", nameof(polygons));
    }
}
