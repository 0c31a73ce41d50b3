namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>How likely values without an order are, as in Optuna: each that was seen speaks for itself and, a little, for all others.</summary>
internal sealed class ChoiceDensity : Density
{
    private readonly double[] _probabilities;

    /// <param name="count">How many values there are.</param>
    /// <param name="seen">The numbers of those seen.</param>
    /// <param name="weights">How much each of these counts.</param>
    public ChoiceDensity(int count, IReadOnlyList<double> seen, IReadOnlyList<double> weights)
    {
        var kernels = seen.Count + 1;
        // One that was seen is a kernel, most of which lies on its value, and the rest evenly on all; so is the prior, which is even.
        var (own, even) = (1 / (1 + (double)count / kernels), 1.0 / kernels / (1 + (double)count / kernels));
        _probabilities = new double[count];
        Array.Fill(_probabilities, 1.0 / count);
        for (var i = 0; i < seen.Count; i++)
        {
            for (var value = 0; value < count; value++)
                _probabilities[value] += weights[i] * (even + (value == (int)seen[i] ? own : 0));
        }
        var total = _probabilities.Sum();
        for (var value = 0; value < count; value++)
            _probabilities[value] /= total;
    }

    public override double Draw(Random random) => Draw(_probabilities, random);

    public override double Log(double place) => Math.Log(_probabilities[(int)place]);

    /// <summary>A number by its probability.</summary>
    public static int Draw(double[] probabilities, Random random)
    {
        var left = random.NextDouble();
        for (var i = 0; i < probabilities.Length - 1; i++)
        {
            left -= probabilities[i];
            if (left < 0)
                return i;
        }
        return probabilities.Length - 1;
    }
}
