using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Seeded random numbers that depend on the seed, the epoch and the step alone, so that a resumed training sees what an uninterrupted one would.</summary>
internal static class EpochOrder
{
    /// <summary>A random order of the rows 0 to <paramref name="count"/> - 1.</summary>
    public static long[] Shuffle(int count, int seed, int epoch)
    {
        using var scope = NewDisposeScope();
        using var generator = Generator(seed, epoch);
        return randperm(count, generator: generator).data<long>().ToArray();
    }

    /// <summary>As many rows as there are, drawn with replacement so that every class comes equally often.</summary>
    /// <param name="classes">Each row's class.</param>
    /// <param name="seed">The training's seed.</param>
    /// <param name="epoch">The epoch.</param>
    public static long[] Balanced(IReadOnlyList<int> classes, int seed, int epoch)
    {
        using var scope = NewDisposeScope();
        using var generator = Generator(seed, epoch);
        var counts = classes.CountBy(c => c).ToDictionary();
        var chances = tensor(classes.Select(c => 1.0 / counts[c]).ToArray());
        return multinomial(chances, classes.Count, replacement: true, generator: generator).data<long>().ToArray();
    }

    /// <summary>
    /// A generator of an epoch's or a step's random numbers, for augmentation and the like. <paramref name="stream"/> keeps uses
    /// apart: two streams of a step are independent. The shuffling is stream 0.
    /// </summary>
    public static Generator Generator(int seed, int epoch, int stream = 0, int step = 0) => new(Mix(Mix(Mix(Mix((uint)seed) + (uint)epoch) + (uint)stream) + (uint)step));

    // SplitMix64's finalizer: neighboring seeds and epochs must not give similar generators.
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
