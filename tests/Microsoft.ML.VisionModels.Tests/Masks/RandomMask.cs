namespace Microsoft.ML.VisionModels.Tests.Masks;

/// <summary>Pixels to try masks on, and the plainest way to find what belongs together in them.</summary>
internal sealed class RandomMask(int height, int width, byte[] pixels)
{
    public int Height => height;

    public int Width => width;

    public byte[] Pixels => pixels;

    public RunLengthMask Mask { get; } = RunLengthMask.FromPixels(height, width, pixels);

    /// <summary>Single pixels, single rows and columns, empty and full masks, noise of all densities, and blots with holes.</summary>
    public static IEnumerable<RandomMask> Many(int count, int largest = 40)
    {
        foreach (var (height, width) in new[] { (1, 1), (1, 9), (9, 1), (2, 2), (8, 8), (17, 24) })
        {
            yield return new(height, width, new byte[height * width]);
            yield return new(height, width, [.. Enumerable.Repeat((byte)1, height * width)]);
        }
        var random = new Random(7);
        for (var i = 0; i < count; i++)
        {
            var (height, width) = (random.Next(1, largest), random.Next(1, largest));
            yield return new(height, width, i % 2 == 0 ? Noise(random, height * width) : Blots(random, height, width));
        }
    }

    /// <summary>Pixels with the same value that belong together, each a list of places; those at corners only where wanted.</summary>
    public List<int[]> Components(byte value, bool corners)
    {
        var seen = new bool[pixels.Length];
        List<int[]> components = [];
        for (var first = 0; first < pixels.Length; first++)
        {
            if (pixels[first] != value || seen[first])
                continue;
            List<int> component = [first];
            seen[first] = true;
            for (var i = 0; i < component.Count; i++)
            {
                var (y, x) = Math.DivRem(component[i], width);
                foreach (var (dy, dx) in from dy in Enumerable.Range(-1, 3) from dx in Enumerable.Range(-1, 3) where corners || dy == 0 || dx == 0 select (dy, dx))
                {
                    var place = (y + dy) * width + x + dx;
                    if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width || pixels[place] != value || seen[place])
                        continue;
                    seen[place] = true;
                    component.Add(place);
                }
            }
            components.Add([.. component]);
        }
        return components;
    }

    private static byte[] Noise(Random random, int count)
    {
        var density = random.NextDouble();
        return [.. Enumerable.Range(0, count).Select(_ => (byte)(random.NextDouble() < density ? 1 : 0))];
    }

    private static byte[] Blots(Random random, int height, int width)
    {
        var pixels = new byte[height * width];
        for (var blot = random.Next(1, 8); blot > 0; blot--)
        {
            var (x, y, radius, value) = (random.NextDouble() * width, random.NextDouble() * height, 12 * random.NextDouble(), (byte)random.Next(2));
            for (var i = 0; i < pixels.Length; i++)
            {
                if (Math.Pow(i % width - x, 2) + Math.Pow(i / width - y, 2) < radius * radius)
                    pixels[i] = value;
            }
        }
        return pixels;
    }
}
