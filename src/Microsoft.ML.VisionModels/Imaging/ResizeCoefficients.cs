using Microsoft.ML.VisionModels.Imaging.Augmentation;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// The weights of one axis of a resize: new pixel i is the weighted sum of <see cref="Taps"/> source pixels from
/// <see cref="First"/>[i] on. Weights sum to 1, in fixed point with <see cref="FractionBits"/> bits, as in Pillow's Resample.c.
/// </summary>
internal sealed class ResizeCoefficients
{
    /// <summary>8-bit pixels, two bits for sums beyond one weight, 22 bits for the fraction: 32 in all.</summary>
    public const int FractionBits = 22;

    private ResizeCoefficients(int length, int taps) =>
        (Taps, First, Count, Weights) = (taps, new int[length], new int[length], new int[length * taps]);

    /// <summary>The most source pixels that any new pixel takes; weights are stored at this stride.</summary>
    public int Taps { get; }

    public int[] First { get; }

    public int[] Count { get; }

    public int[] Weights { get; }

    public int Length => First.Length;

    public ReadOnlySpan<int> WeightsOf(int i) => Weights.AsSpan(i * Taps, Count[i]);

    /// <summary>Weights that resize the part from <paramref name="from"/> to <paramref name="to"/> of an axis.</summary>
    public static ResizeCoefficients For(ResizeFilter filter, int sourceLength, float from, float to, int length)
    {
        var (kernel, radius) = KernelOf(filter);
        var scale = (double)(to - from) / length; // the difference in float, as in Pillow
        var stretch = Math.Max(scale, 1); // shrinking widens the kernel, so that all of the source counts
        var support = radius * stretch;
        var taps = (int)Math.Ceiling(support) * 2 + 1;

        var coefficients = new ResizeCoefficients(length, taps);
        Span<double> weights = new double[taps];
        for (var i = 0; i < length; i++)
        {
            var center = from + (i + 0.5) * scale;
            var first = Math.Max(0, (int)(center - support + 0.5));
            var count = Math.Min(sourceLength, (int)(center + support + 0.5)) - first;
            var sum = 0.0;
            for (var tap = 0; tap < count; tap++)
            {
                weights[tap] = kernel((tap + first - center + 0.5) * (1 / stretch));
                sum += weights[tap];
            }
            coefficients.First[i] = first;
            coefficients.Count[i] = count;
            for (var tap = 0; tap < count; tap++)
                coefficients.Weights[i * taps + tap] = ToFixedPoint(sum == 0 ? weights[tap] : weights[tap] / sum);
        }
        return coefficients;
    }

    private static int ToFixedPoint(double weight) => (int)(weight * (1 << FractionBits) + (weight < 0 ? -0.5 : 0.5));

    /// <summary>The filter's kernel, and how far it reaches to each side.</summary>
    private static (Func<double, double> Kernel, double Radius) KernelOf(ResizeFilter filter) => filter switch
    {
        ResizeFilter.Box => (Box, 0.5),
        ResizeFilter.Bilinear => (Bilinear, 1),
        ResizeFilter.Hamming => (Hamming, 1),
        ResizeFilter.Bicubic => (Bicubic, 2),
        ResizeFilter.Lanczos => (Lanczos, 3),
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "This filter has no kernel."),
    };

    private static double Box(double x) => x is > -0.5 and <= 0.5 ? 1 : 0;

    private static double Bilinear(double x) => Math.Max(0, 1 - Math.Abs(x));

    private static double Hamming(double x) => Math.Abs(x) >= 1 ? 0 : Sinc(x) * (0.54f + 0.46f * Math.Cos(Math.PI * x));

    private static double Bicubic(double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return x switch
        {
            < 1 => ((a + 2) * x - (a + 3)) * x * x + 1,
            < 2 => (((x - 5) * x + 8) * x - 4) * a,
            _ => 0,
        };
    }

    private static double Lanczos(double x) => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0;

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}
