using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels.Tests.Masks;

[Trait("Family", "Sam")]
public class MaskRegionTests
{
    [Fact]
    public void FindsTheComponentsThatAFloodFinds()
    {
        foreach (var random in RandomMask.Many(200))
        {
            foreach (var inside in new[] { true, false })
            {
                var segments = new ColumnSegments(random.Mask, inside);
                var found = Enumerable.Range(0, segments.Count)
                    .GroupBy(i => segments.Components[i], (_, parts) => parts.SelectMany(i => Pixels(segments[i], random.Width)).Order().ToArray());
                var expected = random.Components((byte)(inside ? 1 : 0), corners: true).Select(component => component.Order().ToArray());
                Assert.Equal(expected.OrderBy(component => component[0]), found.OrderBy(component => component[0]));
            }
        }
    }

    [Fact]
    public void FillsSmallHolesAndDropsSmallIslands()
    {
        foreach (var random in RandomMask.Many(200))
        {
            const int MinArea = 7;
            byte[] filled = [.. random.Pixels];
            foreach (var place in random.Components(0, corners: true).Where(hole => hole.Length < MinArea).SelectMany(hole => hole))
                filled[place] = 1;
            Assert.Equal(filled, SmallRegions.FillHoles(random.Mask, MinArea).ToPixels());

            var islands = new RandomMask(random.Height, random.Width, filled).Components(1, corners: true);
            var cleaned = random.Mask.WithoutSmallRegions(MinArea);
            if (islands.Exists(island => island.Length >= MinArea))
                Assert.Equal(islands.Where(island => island.Length >= MinArea).SelectMany(island => island).Order(), Inside(cleaned));
            else if (islands.Count > 0)
                Assert.Contains(islands, island => island.Length == islands.Max(other => other.Length) && island.Order().SequenceEqual(Inside(cleaned)));
            else
                Assert.True(cleaned.IsEmpty);
        }
    }

    /// <summary>OpenCV numbers the components by blocks of 2 x 2, row by row, and the reference takes the first of the largest.</summary>
    [Fact]
    public void OfEqualIslandsTheFirstByBlocksStays()
    {
        var mask = RunLengthMask.FromPixels(5, 5, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        Assert.Equal([5], Inside(SmallRegions.DropIslands(mask, 2)));   // in the block row of the pixel above, and left of it
    }

    [Fact]
    public void CropsComeBackToTheirPlace()
    {
        foreach (var random in RandomMask.Many(60))
        {
            var crop = new CropBox(3, 5, 3 + random.Width, 5 + random.Height, 1);
            var image = new ImageSize(random.Height + 11, random.Width + 4);
            var expected = Enumerable.Range(0, random.Pixels.Length).Where(i => random.Pixels[i] == 1).Select(i => (i / random.Width + 5) * image.Width + i % random.Width + 3);
            var mask = crop.Uncrop(random.Mask, image);
            Assert.Equal((image.Height, image.Width), (mask.Height, mask.Width));
            Assert.Equal(expected, Inside(mask));
            Assert.Same(random.Mask, new CropBox(0, 0, random.Width, random.Height, 0).Uncrop(random.Mask, new(random.Height, random.Width)));
            Assert.Throws<ArgumentException>(() => new CropBox(0, 0, random.Width + 1, random.Height, 1).Uncrop(random.Mask, image));
        }
    }

    [Fact]
    public void SuppressesWhatAPlainLoopSuppresses()
    {
        var random = new Random(5);
        for (var run = 0; run < 30; run++)
        {
            var count = random.Next(40);
            float[][] boxes = [.. Enumerable.Range(0, count).Select(_ => new float[] { random.Next(20), random.Next(20) }).Select(corner => new[] { corner[0], corner[1], corner[0] + random.Next(12), corner[1] + random.Next(12) })];
            float[] scores = [.. boxes.Select(_ => random.Next(5) / 4f)];
            int[] categories = [.. boxes.Select(_ => random.Next(2))];
            List<int> kept = [];
            foreach (var i in Enumerable.Range(0, count).OrderByDescending(i => scores[i]).ThenBy(i => i))
            {
                if (!kept.Exists(k => categories[k] == categories[i] && IoU(boxes[k], boxes[i]) > 0.4f))
                    kept.Add(i);
            }
            Assert.Equal(kept, NonMaximumSuppression.Run([.. boxes.SelectMany(box => box)], scores, 0.4f, categories));
        }
        Assert.Equal([0, 1], NonMaximumSuppression.Run([1, 1, 1, 1, 1, 1, 1, 1], [1, 1], 0.5));     // without area
        Assert.Equal([0, 1], NonMaximumSuppression.Run([0, 0, 2, 1, 0, 0, 1, 1], [1, 1], 0.5));     // as much as is allowed
        Assert.Throws<ArgumentException>(() => NonMaximumSuppression.Run([1, 2, 3], [1], 0.5));
    }

    [Fact]
    public void AGridWithoutPointsIsRefused()
    {
        Assert.Equal([4, 1], PointGrid.BuildLayers(2, 1, 2).Select(grid => grid.Length));
        Assert.Contains("leave none", Assert.Throws<ArgumentException>(() => PointGrid.BuildLayers(2, 2, 2)).Message);
    }

    private static IEnumerable<int> Pixels(ColumnSegments.Segment segment, int width) =>
        Enumerable.Range(segment.Start, segment.Length).Select(y => y * width + segment.Column);

    private static IEnumerable<int> Inside(RunLengthMask mask) => mask.ToPixels().Index().Where(pixel => pixel.Item == 1).Select(pixel => pixel.Index);

    private static float IoU(float[] a, float[] b)
    {
        var both = Math.Max(0, Math.Min(a[2], b[2]) - Math.Max(a[0], b[0])) * Math.Max(0, Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]));
        return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
    }
}
