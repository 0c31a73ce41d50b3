using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>
/// The tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011) with the defaults of Optuna.
/// After 10 random trials, one density is estimated for the best tenth of the trials (at most 25), and another for the rest. Of 24 places
/// drawn from the first density, the one with the largest ratio of the first density to the second is tried. Each dimension is treated by
/// itself, with the trials that have it: first the choice of a branch, then the dimensions of the branch.
/// </summary>
internal sealed class TpeSampler : ISampler
{
    private const int RandomTrials = 10, Draws = 24, MaxGood = 25;
    private readonly RandomSampler _random = new();

    public Proposal Propose(SweepHistory history, Random random)
    {
        var ranked = history.Ranked.ToArray();
        if (ranked.Length < RandomTrials)
            return _random.Propose(history, random);

        // Running trials count as bad, so that trials that run at the same time differ.
        var good = ranked.Take(Math.Min((int)Math.Ceiling(0.1 * ranked.Length), MaxGood)).Where(trial => trial.State != SweepTrialState.Failed).OrderBy(trial => trial.Number).ToArray();
        var bad = history.Trials.Except(good).OrderBy(trial => trial.Number).ToArray();

        var space = history.Space;
        var branch = space.Branches.Count == 1 ? space.Branches[0] : space.Branches[(int)Best(space.Choice, trial => trial.Candidate)];
        good = Array.FindAll(good, trial => trial.Candidate == branch.Name);
        bad = Array.FindAll(bad, trial => trial.Candidate == branch.Name);
        return branch.At(branch.Dimensions.Select(dimension => Best(dimension, trial => trial.Parameters[dimension.Name])));

        double Best(Dimension dimension, Func<SweepTrial, object> valueOf)
        {
            var ofGood = Density.Of(dimension, [.. good.Select(trial => dimension.PlaceOf(valueOf(trial)))]);
            var ofBad = Density.Of(dimension, [.. bad.Select(trial => dimension.PlaceOf(valueOf(trial)))]);
            return Enumerable.Range(0, Draws).Select(_ => ofGood.Draw(random)).MaxBy(place => ofGood.Log(place) - ofBad.Log(place));
        }
    }
}

/// <summary>The probability density of the places of a dimension.</summary>
internal abstract class Density
{
    public abstract double Draw(Random random);

    /// <summary>The logarithm of the density, or of the probability, of a place.</summary>
    public abstract double Log(double place);

    /// <summary>The density that is estimated from the places of trials.</summary>
    /// <param name="dimension">The dimension.</param>
    /// <param name="seen">The places of the trials, the oldest first.</param>
    public static Density Of(Dimension dimension, IReadOnlyList<double> seen) => dimension is ChoiceDimension choice
        ? new ChoiceDensity(choice.Values.Count, seen, Weights(seen.Count))
        : new ParzenEstimator((NumberDimension)dimension, seen, Weights(seen.Count));

    // The latest 25 places have the weight 1. The weights of older ones fall with their age.
    private static double[] Weights(int count)
    {
        const int Recent = 25;
        var older = Math.Max(0, count - Recent);
        return [.. Enumerable.Range(0, count).Select(i => i >= older ? 1 : older == 1 ? 1.0 / count : 1.0 / count + (1 - 1.0 / count) * i / (older - 1))];
    }
}

/// <summary>
/// A density on the line from 0 to 1: a mixture of truncated Gaussians, one at the place of each trial and a wide one as the prior. The standard
/// deviation of each is the distance to its farther neighbor (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011), but at
/// least that of Optuna's "magic clip".
/// </summary>
internal sealed class ParzenEstimator : Density
{
    private readonly NumberDimension _dimension;
    private readonly double[] _means, _widths, _weights;

    /// <param name="dimension">The dimension. For whole numbers, the probability of a number's part of the line is used instead of the density.</param>
    /// <param name="seen">The places of the trials.</param>
    /// <param name="weights">The weight of each place; the weight of the prior is 1.</param>
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

        // The distance between a kernel and the next one. The ends of the line do not count as neighbors.
        double Gap(int i) => i < 0 || i + 1 >= _means.Length ? 0 : _means[i + 1] - _means[i];
    }

    public override double Draw(Random random)
    {
        var kernel = ChoiceDensity.Draw(_weights, random);
        while (true)
        {
            // The Box-Muller method. Draws outside the line are rejected; as the mean is on the line, at least a third are accepted.
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

    // Abramowitz and Stegun, 7.1.26, whose error is at most 1.5e-7.
    private static double Erf(double x)
    {
        var t = 1 / (1 + 0.3275911 * Math.Abs(x));
        var y = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.Exp(-x * x);
        return x < 0 ? -y : y;
    }
}

/// <summary>The probabilities of values without an order, as in Optuna: the value of each trial raises its own probability and, a little, that of all others.</summary>
internal sealed class ChoiceDensity : Density
{
    private readonly double[] _probabilities;

    /// <param name="count">The number of values.</param>
    /// <param name="seen">The indices of the trials' values.</param>
    /// <param name="weights">The weight of each trial.</param>
    public ChoiceDensity(int count, IReadOnlyList<double> seen, IReadOnlyList<double> weights)
    {
        var kernels = seen.Count + 1;
        // The kernel of a trial has most of its mass on the trial's value, and distributes the rest evenly over all values. The prior is even.
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

    /// <summary>Draws an index by its probability.</summary>
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
