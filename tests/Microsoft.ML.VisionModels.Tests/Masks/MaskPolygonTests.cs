using System.Drawing;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Masks;

[Trait("Family", "Sam")]
public class MaskPolygonTests
{
    [Fact]
    public void GiveTheMaskBack()
    {
        foreach (var random in RandomMask.Many(300))
        {
            var polygons = random.Mask.ToPolygons();
            Assert.Equal(random.Mask, RunLengthMask.FromPolygons(random.Height, random.Width, polygons));
            Assert.Equal(random.Components(1, corners: true).Count, polygons.Count);
            if (polygons.Count == 0)
                continue;
            var joined = new MaskPolygon(MaskPolygon.Join(polygons), []);
            Assert.Equal(random.Mask, RunLengthMask.FromPolygons(random.Height, random.Width, [joined]));
        }
    }

    [Fact]
    public void LinesGoAroundPartsAndHoles()
    {
        foreach (var random in RandomMask.Many(100))
        {
            var polygons = random.Mask.ToPolygons();
            Assert.All(polygons, polygon => Assert.True(Area(polygon.Outline) > 0));
            Assert.All(polygons.SelectMany(polygon => polygon.Holes), hole => Assert.True(Area(hole) < 0));
            Assert.Equal(random.Mask.Area, polygons.Sum(polygon => Area(polygon.Outline) + polygon.Holes.Sum(Area)));

            // A hole is what the outside cannot reach without crossing a corner where the mask touches itself.
            var framed = new RandomMask(random.Height + 2, random.Width + 2, Framed(random));
            Assert.Equal(framed.Components(0, corners: false).Count - 1, polygons.Sum(polygon => polygon.Holes.Count));
            foreach (var ring in polygons.SelectMany(polygon => polygon.Holes.Prepend(polygon.Outline)))
                Assert.All(ring.Zip(ring.Skip(1).Append(ring[0])), side => Assert.True((side.First.X == side.Second.X) != (side.First.Y == side.Second.Y)));
        }
        Assert.Equal([new(1, 0), new(2, 0), new(2, 2), new(1, 2)], Sorted(RunLengthMask.FromCounts(2, 3, [2, 2, 2]).ToPolygons().Single().Outline));
    }

    [Fact]
    public void SimplifiedLinesStayWithinTheTolerance()
    {
        foreach (var random in RandomMask.Many(100, largest: 80))
        {
            var (exact, simple) = (random.Mask.ToPolygons(), random.Mask.ToPolygons(tolerance: 1.5));
            Assert.Equal(exact.Count, simple.Count);
            foreach (var (before, after) in exact.Zip(simple))
            {
                foreach (var (ring, line) in before.Holes.Prepend(before.Outline).Zip(after.Holes.Prepend(after.Outline)))
                {
                    Assert.True(line.Count >= 3 && line.Count <= ring.Count);
                    Assert.All(line, corner => Assert.Contains(corner, ring));
                    Assert.All(ring, corner => Assert.True(line.Zip(line.Skip(1).Append(line[0])).Min(side => Distance(corner, side.First, side.Second)) <= 1.5 + 1e-9));
                }
            }
        }
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(4)]
    public void SimplifiedLinesKeepTheMask(double tolerance)
    {
        foreach (var random in RandomMask.Many(100, largest: 80).Where(random => random.Mask.Area > 0))
            Assert.InRange(RunLengthMask.FromPolygons(random.Height, random.Width, random.Mask.ToPolygons(tolerance)).IoU(random.Mask), 0.95, 1);
    }

    [Fact]
    public void ACircleNeedsFewCorners()
    {
        byte[] pixels = [.. Enumerable.Range(0, 200 * 200).Select(i => (byte)(Math.Pow(i % 200 - 100, 2) + Math.Pow(i / 200 - 100, 2) < 8100 ? 1 : 0))];
        var mask = RunLengthMask.FromPixels(200, 200, pixels);
        var simple = mask.ToPolygons(tolerance: 1);
        Assert.InRange(simple[0].Outline.Count, 8, mask.ToPolygons()[0].Outline.Count / 8);
        Assert.True(RunLengthMask.FromPolygons(200, 200, simple).IoU(mask) > 0.98);
        Assert.Throws<ArgumentOutOfRangeException>(() => mask.ToPolygons(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => mask.ToPolygons(double.NaN));
    }

    [Fact]
    public void WhatLiesOutsideTheImageIsCutOff()
    {
        var square = new MaskPolygon([new(-5, -5), new(3, -5), new(3, 2), new(-5, 2)], []);
        Assert.Equal([0, 2, 2, 2, 2, 2, 2], RunLengthMask.FromPolygons(4, 3, [square]).Counts);
        Assert.Equal(6, RunLengthMask.FromPolygons(4, 9, [square, square]).Area);   // in any polygon, not in an odd number of them
        Assert.True(RunLengthMask.FromPolygons(4, 4, []).IsEmpty);
        Assert.Throws<ArgumentException>(() => MaskPolygon.Join([]));
    }

    private static double Area(IReadOnlyList<Point> ring) =>
        ring.Zip(ring.Skip(1).Append(ring[0]), (a, b) => (double)a.X * b.Y - (double)b.X * a.Y).Sum() / 2;

    private static Point[] Sorted(IEnumerable<Point> ring) => [.. ring.OrderBy(corner => Math.Atan2(corner.Y - 1, corner.X - 1.5))];

    private static byte[] Framed(RandomMask random)
    {
        var framed = new byte[(random.Height + 2) * (random.Width + 2)];
        for (var y = 0; y < random.Height; y++)
            random.Pixels.AsSpan(y * random.Width, random.Width).CopyTo(framed.AsSpan((y + 1) * (random.Width + 2) + 1));
        return framed;
    }

    private static double Distance(Point point, Point a, Point b)
    {
        double dx = b.X - a.X, dy = b.Y - a.Y;
        var along = Math.Clamp(((point.X - a.X) * dx + (point.Y - a.Y) * dy) / Math.Max(dx * dx + dy * dy, 1e-9), 0, 1);
        return Math.Sqrt(Math.Pow(point.X - a.X - along * dx, 2) + Math.Pow(point.Y - a.Y - along * dy, 2));
    }
}
