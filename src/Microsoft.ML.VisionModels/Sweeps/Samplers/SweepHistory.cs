using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>What a search has seen: the space, and its trials so far.</summary>
/// <param name="Space">What is searched.</param>
/// <param name="Trials">All trials, those that are running too.</param>
/// <param name="HigherIsBetter">Whether a high score is a good one.</param>
internal sealed record SweepHistory(Space Space, IReadOnlyList<SweepTrial> Trials, bool HigherIsBetter)
{
    /// <summary>The number of the next trial.</summary>
    public int Next => Trials.Count == 0 ? 0 : Trials.Max(trial => trial.Number) + 1;

    /// <summary>The best of the trials that went to their end; where there is none, of those that were stopped.</summary>
    public SweepTrial? Best => Ranked.FirstOrDefault(trial => trial.State is SweepTrialState.Complete or SweepTrialState.Stopped && trial.Score is not null);

    /// <summary>
    /// The trials that are over, the best first: those that went to their end by their score, then those that did not, by how far
    /// they came and how their training stood there, then those that failed.
    /// </summary>
    public IEnumerable<SweepTrial> Ranked => Trials
        .Where(trial => trial.IsOver)
        .OrderBy(trial => trial.State switch { SweepTrialState.Complete => 0, SweepTrialState.Failed => 2, _ => 1 })
        .ThenByDescending(trial => trial.State == SweepTrialState.Complete ? 0 : trial.Epochs.Count)
        .ThenByDescending(trial => trial.State == SweepTrialState.Complete ? (HigherIsBetter ? trial.Score : -trial.Score) : trial.Epochs.LastOrDefault()?.Score)
        .ThenBy(trial => trial.Number);

    /// <summary>What stands for a trial in a plot: its score, or of one that has none how its training stood, where high values of both are good ones.</summary>
    public double? Shown(SweepTrial trial) => trial.Score ?? (HigherIsBetter && trial.State == SweepTrialState.Pruned ? trial.Epochs[^1].Score : null);
}
