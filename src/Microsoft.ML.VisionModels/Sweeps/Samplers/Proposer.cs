using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>Proposes the next trial of a study. The proposal depends only on the trials so far, the number of the next one and the seed.</summary>
/// <param name="context">The context whose seed is taken where the options have none.</param>
/// <param name="options">The options of the sweep.</param>
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
        // The first trials have the initial values of the candidates, which their authors chose as good ones.
        if (options.Sampler != SweepSampler.Grid && history.Next < history.Space.Branches.Count)
            return history.Space.Branches[history.Next].Initial;
        return _sampler.Propose(history, new Random(unchecked(_seed * 1_000_003 + history.Next)));
    }
}

/// <summary>A trial to run.</summary>
/// <param name="Candidate">The name of the candidate.</param>
/// <param name="Parameters">Its hyper-parameters.</param>
internal sealed record Proposal(string Candidate, IReadOnlyDictionary<string, object> Parameters);

/// <summary>An algorithm that chooses the next trial.</summary>
internal interface ISampler
{
    /// <returns>The next trial; null where there is nothing left to try.</returns>
    Proposal? Propose(SweepHistory history, Random random);
}

/// <summary>The space of a search, and its trials so far.</summary>
/// <param name="Space">The space.</param>
/// <param name="Trials">All trials, including those that are running.</param>
/// <param name="HigherIsBetter">Whether higher scores are better.</param>
internal sealed record SweepHistory(Space Space, IReadOnlyList<SweepTrial> Trials, bool HigherIsBetter)
{
    /// <summary>The number of the next trial.</summary>
    public int Next => Trials.Count == 0 ? 0 : Trials.Max(trial => trial.Number) + 1;

    /// <summary>The best complete trial; where there is none, the best of those that were stopped.</summary>
    public SweepTrial? Best => Ranked.FirstOrDefault(trial => trial.State is SweepTrialState.Complete or SweepTrialState.Stopped && trial.Score is not null);

    /// <summary>
    /// The trials that are over, the best first: complete trials by their score, then pruned and stopped ones by their number of epochs and
    /// their last validation score, then failed ones.
    /// </summary>
    public IEnumerable<SweepTrial> Ranked => Trials
        .Where(trial => trial.IsOver)
        .OrderBy(trial => trial.State switch { SweepTrialState.Complete => 0, SweepTrialState.Failed => 2, _ => 1 })
        .ThenByDescending(trial => trial.State == SweepTrialState.Complete ? 0 : trial.Epochs.Count)
        .ThenByDescending(trial => trial.State == SweepTrialState.Complete ? (HigherIsBetter ? trial.Score : -trial.Score) : trial.Epochs.LastOrDefault()?.Score)
        .ThenBy(trial => trial.Number);

    /// <summary>The value of a trial in a plot: its score. For a pruned trial it is the last validation score, if higher scores are better, as both are then comparable.</summary>
    public double? Shown(SweepTrial trial) => trial.Score ?? (HigherIsBetter && trial.State == SweepTrialState.Pruned ? trial.Epochs.LastOrDefault()?.Score : null);
}
