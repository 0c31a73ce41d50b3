using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Masks;

[Trait("Family", "Sam")]
public class RunLengthMaskTests
{
    [Fact]
    public void HoldsThePixelsItIsMadeOf()
    {
        foreach (var random in RandomMask.Many(200))
        {
            var (mask, pixels) = (random.Mask, random.Pixels);
            int[] inside = [.. Enumerable.Range(0, pixels.Length).Where(i => pixels[i] == 1)];
            Assert.Equal(pixels, mask.ToPixels());
            Assert.Equal(NaiveCounts(random), mask.Counts);
            Assert.Equal((random.Height, random.Width, inside.Length, inside.Length == 0), (mask.Height, mask.Width, mask.Area, mask.IsEmpty));
            Assert.Equal(
                inside.Length == 0 ? default : new MaskBox(inside.Min(i => i % mask.Width), inside.Min(i => i / mask.Width), inside.Max(i => i % mask.Width), inside.Max(i => i / mask.Width)),
                mask.Box);
            Assert.Equal(mask, RunLengthMask.FromCounts(mask.Height, mask.Width, [.. mask.Counts]));
            Assert.Equal(mask, RunLengthMask.FromPixels(mask.Height, mask.Width, [.. pixels.Select(pixel => pixel == 1)]));
            Assert.Equal(mask, RunLengthMask.FromPixels(mask.Height, mask.Width, [.. pixels.Select(pixel => (byte)(200 * pixel))]));
        }
    }

    [Fact]
    public void ComesFromTensorsAndBecomesOne()
    {
        using var scope = NewDisposeScope();
        foreach (var random in RandomMask.Many(20))
        {
            var pixels = tensor(random.Pixels, [random.Height, random.Width]);
            Assert.Equal(random.Mask, RunLengthMask.FromTensor(pixels));
            Assert.Equal(random.Mask, RunLengthMask.FromTensor(pixels.t().contiguous().t()));    // whose memory is in another order
            Assert.Equal(random.Mask, RunLengthMask.FromTensor(pixels.to(ScalarType.Float32).Mul(0.25)));
            Assert.True(pixels.to(ScalarType.Bool).equal(random.Mask.ToTensor()).all().item<bool>());

            var logits = pixels.to(ScalarType.Float32).Sub(0.5);
            var masks = RunLengthMask.FromLogits(stack([logits, -logits, logits.abs()]), threshold: 0.25);
            Assert.Equal([random.Mask.Area, random.Pixels.Length - random.Mask.Area, random.Pixels.Length], masks.Select(mask => mask.Area));
            Assert.Equal(random.Mask, masks[0]);
        }
        Assert.Empty(RunLengthMask.FromTensors(zeros(0, 4, 5)));
        Assert.Contains("3 dimensions", Assert.Throws<ArgumentException>(() => RunLengthMask.FromTensor(zeros(1, 2, 2))).Message);
        Assert.Contains("[N, H, W]", Assert.Throws<ArgumentException>(() => RunLengthMask.FromLogits(zeros(2, 2))).Message);
        Assert.ThrowsAny<ArgumentException>(() => RunLengthMask.FromTensor(zeros(0, 2)));
    }

    [Fact]
    public void OverlapsAsThePixelsDo()
    {
        var random = new Random(3);
        foreach (var one in RandomMask.Many(200))
        {
            byte[] pixels = [.. one.Pixels.Select(pixel => random.Next(4) == 0 ? (byte)random.Next(2) : pixel)];
            var other = RunLengthMask.FromPixels(one.Height, one.Width, pixels);
            var (both, either) = (one.Pixels.Zip(pixels, (a, b) => a & b).Sum(), one.Pixels.Zip(pixels, (a, b) => a | b).Sum());
            Assert.Equal(both, one.Mask.IntersectionArea(other));
            Assert.Equal(both, other.IntersectionArea(one.Mask));
            Assert.Equal(either == 0 ? 0 : (double)both / either, one.Mask.IoU(other));
            Assert.Equal(pixels.AsSpan().SequenceEqual(one.Pixels), one.Mask.Equals(other));
        }
        Assert.Contains("1 x 2", Assert.Throws<ArgumentException>(() => RunLengthMask.FromCounts(2, 1, [2]).IoU(RunLengthMask.FromCounts(1, 2, [2]))).Message);
    }

    [Fact]
    public void EqualMasksAreFoundInSets()
    {
        HashSet<RunLengthMask> masks = [.. RandomMask.Many(50).Select(random => random.Mask)];
        Assert.All(RandomMask.Many(50), random => Assert.Contains(RunLengthMask.FromCocoJson(random.Mask.ToCocoJson()), masks));
        Assert.NotEqual(RunLengthMask.FromCounts(2, 6, [0, 12]), RunLengthMask.FromCounts(3, 4, [0, 12]));
        Assert.False(RunLengthMask.FromCounts(1, 1, [1]).Equals(null));
    }

    [Fact]
    public void RunsWithoutPixelsJoinTheirNeighbors()
    {
        Assert.Equal([2, 5, 2], RunLengthMask.FromCounts(3, 3, [2, 3, 0, 2, 2, 0]).Counts);
        Assert.Equal([0, 9], RunLengthMask.FromCounts(3, 3, [0, 4, 0, 5]).Counts);
    }

    [Fact]
    public void RefusesWhatIsNoMask()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RunLengthMask.FromCounts(0, 3, []));
        Assert.Contains("8 pixels", Assert.Throws<ArgumentException>(() => RunLengthMask.FromCounts(3, 3, [4, 4])).Message);
        Assert.Contains("Run 1", Assert.Throws<ArgumentException>(() => RunLengthMask.FromCounts(3, 3, [4, 6])).Message);
        Assert.Contains("Run 0", Assert.Throws<ArgumentException>(() => RunLengthMask.FromCounts(3, 3, [-1, 10])).Message);
        Assert.Contains("not 5", Assert.Throws<ArgumentException>(() => RunLengthMask.FromPixels(2, 3, new byte[5])).Message);
        Assert.Contains("the most", Assert.Throws<ArgumentException>(() => RunLengthMask.FromCounts(100_000, 100_000, [])).Message);
    }

    /// <summary>Hundreds of masks of an image of two megapixels have to fit into some megabytes.</summary>
    [Fact]
    public void TakesKilobytesForALargeImage()
    {
        var (height, width) = (1200, 1800);
        byte[] circle = [.. Enumerable.Range(0, height * width).Select(i => (byte)(Math.Pow(i % width - 900, 2) + Math.Pow(i / width - 600, 2) < 250_000 ? 1 : 0))];
        var mask = RunLengthMask.FromPixels(height, width, circle);
        Assert.InRange(mask.ToCocoString().Length, 100, 2048);  // it is kept so
        Assert.Equal([401, 101, 998, 998], mask.Box.ToXywh());
    }

    [Fact]
    public void DrawsWhiteOnBlack()
    {
        using var image = RunLengthMask.FromCounts(2, 3, [1, 2, 3]).ToMLImage();
        Assert.Equal((3, 2), (image.Width, image.Height));
        Assert.Equal([0, 255, 0, 255, 0, 0], image.Pixels.ToArray().Chunk(4).Select(pixel => pixel[0]));
    }

    private static List<int> NaiveCounts(RandomMask random)
    {
        List<int> counts = [0];
        var current = 0;
        for (var x = 0; x < random.Width; x++)
        {
            for (var y = 0; y < random.Height; y++)
            {
                if (random.Pixels[y * random.Width + x] != current)
                {
                    counts.Add(0);
                    current = 1 - current;
                }
                counts[^1]++;
            }
        }
        return counts;
    }
}
