namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>Says what to try next.</summary>
internal interface ISampler
{
    /// <returns>The next trial; null where there is nothing left to try.</returns>
    Proposal? Propose(SweepHistory history, Random random);
}
