using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>Says what a study tries next, by its trials so far and the number of the next.</summary>
/// <param name="context">Gives the seed where the options have none.</param>
/// <param name="options">How to search.</param>
internal sealed class Proposer(MLContext context, SweepOptions options)
{
    private readonly ISampler _sampler = options.Sampler switch
    {
        SweepSampler.Random => new RandomSampler(),
        SweepSampler.Grid => new GridSampler(options.GridSteps),
        SweepSampler.Refine => new RefiningSampler(round: Math.Max(5, (options.Trials ?? 50) / 5)),
        _ => new TpeSampler(),
    };
    private readonly int _seed = options.Seed ?? MLNet.SeedOf(MLNet.EnvironmentOf(context.Transforms)) ?? Random.Shared.Next();

    /// <returns>The next trial; null where there is nothing left to try.</returns>
    public Proposal? Propose(SweepHistory history)
    {
        // Every candidate's own initial values come first, as somebody thought them good.
        if (options.Sampler != SweepSampler.Grid && history.Next < history.Space.Branches.Count)
            return history.Space.Branches[history.Next].Initial;
        return _sampler.Propose(history, new Random(unchecked(_seed * 1_000_003 + history.Next)));
    }
}
