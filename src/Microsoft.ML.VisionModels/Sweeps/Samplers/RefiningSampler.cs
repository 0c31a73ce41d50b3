using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>
/// Successive refinement: a round of random trials, then rounds of trials in a box around the best so far, the box of each round
/// half as wide as that of the one before. After seven rounds it begins anew.
/// </summary>
/// <param name="round">The trials of a round.</param>
internal sealed class RefiningSampler(int round) : ISampler
{
    private const int Rounds = 7;
    private readonly RandomSampler _random = new();

    public Proposal Propose(SweepHistory history, Random random)
    {
        var width = Math.Pow(0.5, history.Next / round % Rounds);
        if (width == 1 || history.Ranked.FirstOrDefault(trial => trial.State != SweepTrialState.Failed) is not { } best)
            return _random.Propose(history, random);

        // Another branch, or another choice, is tried the less often the narrower the box is.
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
