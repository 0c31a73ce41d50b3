namespace Microsoft.ML.VisionModels;

/// <summary>
/// How a sweep decides which trials are not worth finishing. They are judged after each epoch, by the validation of their own
/// training; trials without epochs go to their end.
/// </summary>
public enum SweepPruner
{
    /// <summary>Asynchronous successive halving (arXiv 1810.05934): after 1, 4, 16… times <see cref="SweepOptions.GraceEpochs"/> the best quarter goes on.</summary>
    Asha,

    /// <summary>No trial is ended early.</summary>
    None,

    /// <summary>Once five trials are complete, one that is worse than the median of the others at the same epoch is ended.</summary>
    Median,

    /// <summary>Hyperband (arXiv 1603.06560): brackets of asynchronous halving that begin after 1, 3, 9… times <see cref="SweepOptions.GraceEpochs"/>, for networks that are slow to show what they can.</summary>
    Hyperband,
}
