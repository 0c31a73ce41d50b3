using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>
/// The density of places on the line from 0 to 1: a mixture of Gaussians, cut off at the ends, one at each place seen and a wide one
/// as the prior. Each is as wide as the gap to its farther neighbor (Bergstra et al., "Algorithms for Hyper-Parameter Optimization",
/// 2011), but no narrower than Optuna's "magic clip" allows.
/// </summary>
internal sealed class ParzenEstimator : Density
{
    private readonly NumberDimension _dimension;
    private readonly double[] _means, _widths, _weights;

    /// <param name="dimension">Whose places they are; of a whole number's share of the line the probability counts.</param>
    /// <param name="seen">What was seen.</param>
    /// <param name="weights">How much each of these counts; the prior counts 1.</param>
    public ParzenEstimator(NumberDimension dimension, IReadOnlyList<double> seen, IReadOnlyList<double> weights)
    {
        _dimension = dimension;
        (double Mean, double Weight, bool IsPrior)[] kernels =
            [.. seen.Zip(weights, (place, weight) => (place, weight, false)).Append((0.5, 1.0, true)).OrderBy(kernel => kernel.Item1)];
        var narrowest = 1.0 / Math.Min(100, 1 + kernels.Length);
        var total = kernels.Sum(kernel => kernel.Weight);
        _means = [.. kernels.Select(kernel => kernel.Mean)];
        _weights = [.. kernels.Select(kernel => kernel.Weight / total)];
        _widths = [.. kernels.Select((kernel, i) => kernel.IsPrior ? 1 : Math.Clamp(Math.Max(Gap(i - 1), Gap(i)), narrowest, 1))];

        // Between a kernel and the next; the ends of the line are no neighbors.
        double Gap(int i) => i < 0 || i + 1 >= _means.Length ? 0 : _means[i + 1] - _means[i];
    }

    public override double Draw(Random random)
    {
        var kernel = ChoiceDensity.Draw(_weights, random);
        while (true)
        {
            // Box and Muller. The mean lies between the ends, so that a third of the draws do at least.
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            var place = _means[kernel] + _widths[kernel] * normal;
            if (place is >= 0 and <= 1)
                return place;
        }
    }

    public override double Log(double place)
    {
        var (from, to) = _dimension.IsInteger ? _dimension.ShareOf((int)_dimension.ValueAt(place)) : (place, place);
        var sum = 0.0;
        for (var i = 0; i < _means.Length; i++)
            sum += _weights[i] * (to > from ? Below(i, to) - Below(i, from) : Gaussian((place - _means[i]) / _widths[i]) / _widths[i]) / (Below(i, 1) - Below(i, 0));
        return Math.Log(Math.Max(sum, double.Epsilon));
    }

    private double Below(int i, double place) => 0.5 * (1 + Erf((place - _means[i]) / (_widths[i] * Math.Sqrt(2))));

    private static double Gaussian(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    // Abramowitz and Stegun 7.1.26, exact to 1.5e-7.
    private static double Erf(double x)
    {
        var t = 1 / (1 + 0.3275911 * Math.Abs(x));
        var y = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.Exp(-x * x);
        return x < 0 ? -y : y;
    }
}
