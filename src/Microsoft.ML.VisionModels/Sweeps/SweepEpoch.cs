namespace Microsoft.ML.VisionModels;

/// <summary>How a trial stood after an epoch.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="Score">The best so far on the rows that the training held out; higher is better (of a classifier the accuracy).</param>
/// <param name="Seconds">The time since the trial began.</param>
public sealed record SweepEpoch(int Epoch, double Score, double Seconds);
