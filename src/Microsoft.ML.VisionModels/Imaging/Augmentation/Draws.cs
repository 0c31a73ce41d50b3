using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Random numbers of a generator as arrays: one for each image, where plain C# decides what happens to it.</summary>
internal static class Draws
{
    /// <summary>Uniform numbers from <paramref name="low"/> up to but without <paramref name="high"/>.</summary>
    public static double[] Uniform(this Generator generator, int count, double low = 0, double high = 1)
    {
        using var draws = rand(count, float64, generator: generator);
        return Array.ConvertAll(draws.data<double>().ToArray(), u => low + ((high - low) * u));
    }

    /// <summary>Uniform whole numbers from 0 to <paramref name="end"/> - 1.</summary>
    public static int[] Integers(this Generator generator, int count, int end) =>
        Array.ConvertAll(generator.Uniform(count, 0, end), u => (int)u);

    /// <summary>
    /// A number of the distribution Beta(<paramref name="alpha"/>, <paramref name="alpha"/>), for any positive alpha, without
    /// rejection: a Student t variate t with 2 alpha degrees of freedom by Bailey's polar method (1994) gives
    /// (1 + t / sqrt(2 alpha + t²)) / 2 (Devroye, 1996).
    /// </summary>
    public static double SymmetricBeta(this Generator generator, double alpha)
    {
        var uniform = generator.Uniform(2);
        var power = Math.Pow(1 - uniform[0], 1 / alpha); // May underflow to 0 for a small alpha, which does no harm below.
        var cosine = Math.Cos(2 * Math.PI * uniform[1]);
        var ratio = cosine * Math.Sqrt((1 - power) / (power + ((1 - power) * cosine * cosine))); // t / sqrt(2 alpha + t²)
        return (1 + Math.Clamp(ratio, -1, 1)) / 2; // Rounding may take it past 1.
    }
}
