namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>How often each of the values without an order was seen, with a prior that has seen each of them equally often and all together once.</summary>
internal sealed class ChoiceDensity : Density
{
    private readonly double[] _probabilities;

    /// <param name="count">How many values there are.</param>
    /// <param name="seen">The numbers of those seen.</param>
    /// <param name="weights">How much each of these counts.</param>
    public ChoiceDensity(int count, IReadOnlyList<double> seen, IReadOnlyList<double> weights)
    {
        _probabilities = new double[count];
        Array.Fill(_probabilities, 1.0 / count);
        for (var i = 0; i < seen.Count; i++)
            _probabilities[(int)seen[i]] += weights[i];
        var total = _probabilities.Sum();
        for (var i = 0; i < count; i++)
            _probabilities[i] /= total;
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
