using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>Random search (Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", 2012).</summary>
internal sealed class RandomSampler : ISampler
{
    public Proposal Propose(SweepHistory history, Random random)
    {
        var branch = history.Space.Branches[random.Next(history.Space.Branches.Count)];
        return branch.At(branch.Dimensions.Select(dimension => Draw(dimension, random)));
    }

    public static double Draw(Dimension dimension, Random random) =>
        dimension is ChoiceDimension choice ? random.Next(choice.Values.Count) : random.NextDouble();
}

/// <summary>
/// Successive refinement: a round of random trials, then rounds of trials in a box around the best one so far. In each round, the box is half
/// as wide as in the round before. After seven rounds it begins again.
/// </summary>
/// <param name="round">The number of trials in a round.</param>
internal sealed class RefiningSampler(int round) : ISampler
{
    private const int Rounds = 7;
    private readonly RandomSampler _random = new();

    public Proposal Propose(SweepHistory history, Random random)
    {
        var width = Math.Pow(0.5, history.Next / round % Rounds);
        if (width == 1 || history.Ranked.FirstOrDefault(trial => trial.State != SweepTrialState.Failed) is not { } best)
            return _random.Propose(history, random);

        // The narrower the box is, the less often another branch or another choice is tried.
        if (history.Space.Branches.Count > 1 && random.NextDouble() < width / 2)
            return _random.Propose(history, random);
        var branch = history.Space[best.Candidate];
        return branch.At(branch.Dimensions.Select(dimension =>
        {
            var center = dimension.PlaceOf(best.Parameters[dimension.Name]);
            if (dimension is ChoiceDimension)
                return random.NextDouble() < width ? RandomSampler.Draw(dimension, random) : center;
            var (low, high) = (Math.Max(0, center - width / 2), Math.Min(1, center + width / 2));
            return low + random.NextDouble() * (high - low);
        }));
    }
}
