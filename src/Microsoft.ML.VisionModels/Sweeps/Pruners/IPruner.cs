namespace Microsoft.ML.VisionModels.Sweeps.Pruners;

/// <summary>Says which trials are not worth going on with.</summary>
internal interface IPruner
{
    /// <param name="trial">A running trial after an epoch, which is the last of its <see cref="SweepTrial.Epochs"/>.</param>
    /// <param name="epochs">How many epochs it would have in full.</param>
    /// <param name="others">The study's other trials.</param>
    bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others);

    /// <summary>The pruner that the options ask for; null for none.</summary>
    static IPruner? Of(SweepOptions options) => options.Pruner switch
    {
        SweepPruner.Asha => new AshaPruner(options.GraceEpochs),
        SweepPruner.Median => new MedianPruner(options.GraceEpochs),
        SweepPruner.Hyperband => new HyperbandPruner(options.GraceEpochs),
        _ => null,
    };
}
