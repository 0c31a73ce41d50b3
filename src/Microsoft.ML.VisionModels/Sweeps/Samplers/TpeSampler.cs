using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>
/// The tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011) with the defaults of
/// Optuna: after 10 random trials, the best tenth of them (25 at most) have one density and the rest another; of 24 places drawn
/// from the first, the one is tried where it is the largest against the second. Each dimension is treated by itself, and among the
/// trials that have it: first the choice of a branch, then the dimensions of this branch.
/// </summary>
internal sealed class TpeSampler : ISampler
{
    private const int RandomTrials = 10, Draws = 24, MostGood = 25;
    private readonly RandomSampler _random = new();

    public Proposal Propose(SweepHistory history, Random random)
    {
        var ranked = history.Ranked.ToArray();
        if (ranked.Length < RandomTrials)
            return _random.Propose(history, random);

        // What is running counts as bad, so that trials at the same time are not alike.
        var good = ranked.Take(Math.Min((int)Math.Ceiling(0.1 * ranked.Length), MostGood)).Where(trial => trial.State != SweepTrialState.Failed).OrderBy(trial => trial.Number).ToArray();
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
