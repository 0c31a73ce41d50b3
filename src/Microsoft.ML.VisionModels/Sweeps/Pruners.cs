namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Decides which trials are ended early.</summary>
internal interface IPruner
{
    /// <summary>Whether to end a running trial after an epoch.</summary>
    /// <param name="trial">The trial; the epoch is the last of its <see cref="SweepTrial.Epochs"/>.</param>
    /// <param name="epochs">How many epochs the trial would have in the end.</param>
    /// <param name="others">The study's other trials.</param>
    bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others);

    /// <summary>The pruner of the options; null for none.</summary>
    static IPruner? Of(SweepOptions options) => options.Pruner switch
    {
        SweepPruner.Asha => new AshaPruner(options.GraceEpochs),
        SweepPruner.Median => new MedianPruner(options.GraceEpochs),
        SweepPruner.Hyperband => new HyperbandPruner(options.GraceEpochs),
        _ => null,
    };
}

/// <summary>
/// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", arXiv 1810.05934). The rungs are at 1,
/// 4, 16… times the first one. At a rung, a trial goes on only if it is among the best quarter of the trials that have reached the rung.
/// </summary>
/// <param name="first">The epoch of the first rung.</param>
/// <param name="reduction">The factor between rungs; one of so many trials goes on.</param>
internal sealed class AshaPruner(int first = 1, int reduction = 4) : IPruner
{
    public bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others)
    {
        var last = trial.Epochs[^1];
        if (last.Epoch >= epochs || !IsRung(last.Epoch))
            return false;
        var scores = others.Select(other => other.Epochs.FirstOrDefault(epoch => epoch.Epoch == last.Epoch)?.Score).OfType<double>().Append(last.Score).OrderDescending().ToArray();
        // Where the share is less than one trial, the best one goes on.
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

/// <summary>
/// Hyperband (Li et al., arXiv 1603.06560) over asynchronous halving. The trials are distributed among brackets whose first rungs are at 1, 3,
/// 9… epochs, so that in some brackets slow starters are not ended too early. Trials are compared within their bracket.
/// </summary>
/// <param name="grace">The first rung of the first bracket; those of the others are multiples of it.</param>
internal sealed class HyperbandPruner(int grace = 1) : IPruner
{
    private const int Reduction = 3;

    public bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others)
    {
        var brackets = 1 + (int)Math.Floor(Math.Log(Math.Max(1, epochs / (double)grace)) / Math.Log(Reduction) + 1e-9);
        var own = BracketOf(trial, brackets);
        var first = grace * (int)Math.Round(Math.Pow(Reduction, own));
        return new AshaPruner(first, Reduction).ShouldStop(trial, epochs, [.. others.Where(other => BracketOf(other, brackets) == own)]);
    }

    /// <summary>The bracket of a trial. Brackets with a smaller first rung get more trials, as these are cheaper.</summary>
    private static int BracketOf(SweepTrial trial, int brackets)
    {
        var shares = Enumerable.Range(0, brackets).Select(b => (int)Math.Ceiling(brackets * Math.Pow(Reduction, brackets - 1 - b) / (brackets - b))).ToArray();
        // A hash of the number, so that consecutive trials are in different brackets.
        var place = (int)(unchecked((uint)trial.Number * 2654435761u) % (uint)shares.Sum());
        var bracket = 0;
        for (; place >= shares[bracket]; bracket++)
            place -= shares[bracket];
        return bracket;
    }
}

/// <summary>
/// Ends a trial that is worse than the median of the other trials at the same epoch (Golovin et al., "Google Vizier", 2017), as soon as five
/// trials are complete.
/// </summary>
/// <param name="grace">The epochs before which no trial is ended.</param>
internal sealed class MedianPruner(int grace = 1) : IPruner
{
    private const int MinCompleteTrials = 5;

    public bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others)
    {
        if (others.Count(other => other.State == SweepTrialState.Complete) < MinCompleteTrials)
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
