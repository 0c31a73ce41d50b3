namespace Microsoft.ML.VisionModels.Sweeps.Pruners;

/// <summary>
/// Ends a trial that is worse after an epoch than half of those before it were after the same epoch (Golovin et al., "Google Vizier",
/// 2017), once five trials have gone to their end.
/// </summary>
/// <param name="grace">The epochs that each trial has in any case.</param>
internal sealed class MedianPruner(int grace = 1) : IPruner
{
    private const int Unpruned = 5;

    public bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others)
    {
        if (others.Count(other => other.State == SweepTrialState.Complete) < Unpruned)
            return false;
        var last = trial.Epochs[^1];
        if (last.Epoch < grace || last.Epoch >= epochs)
            return false;
        var scores = others.Select(other => other.Epochs.FirstOrDefault(epoch => epoch.Epoch == last.Epoch)?.Score).OfType<double>().Order().ToArray();
        if (scores.Length == 0)
            return false;
        var middle = scores.Length / 2;
        return last.Score < (scores.Length % 2 == 1 ? scores[middle] : (scores[middle - 1] + scores[middle]) / 2);
    }
}
