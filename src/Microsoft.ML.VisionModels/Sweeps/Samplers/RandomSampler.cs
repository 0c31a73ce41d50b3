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
