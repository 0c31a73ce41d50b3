namespace Microsoft.ML.VisionModels.Sweeps.Pruners;

/// <summary>
/// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", arXiv 1810.05934): at the
/// rungs, which are 1, 4, 16… times the first, a trial goes on only if it belongs to the best quarter of those that have been there.
/// </summary>
/// <param name="first">The epochs of the first rung.</param>
/// <param name="reduction">The factor between rungs, and one over the share that goes on.</param>
internal sealed class AshaPruner(int first = 1, int reduction = 4) : IPruner
{
    public bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others)
    {
        var last = trial.Epochs[^1];
        if (last.Epoch >= epochs || !IsRung(last.Epoch))
            return false;
        var scores = others.Select(other => other.Epochs.FirstOrDefault(epoch => epoch.Epoch == last.Epoch)?.Score).OfType<double>().Append(last.Score).OrderDescending().ToArray();
        // While there are fewer than would make a share of one, the best goes on.
        return last.Score < scores[Math.Max(0, scores.Length / reduction - 1)];
    }

    private bool IsRung(int epoch)
    {
        var rung = (long)first;
        while (rung < epoch)
            rung *= reduction;
        return rung == epoch;
    }
}
