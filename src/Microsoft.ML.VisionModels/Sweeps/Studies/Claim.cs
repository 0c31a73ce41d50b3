namespace Microsoft.ML.VisionModels.Sweeps.Studies;

/// <summary>What a worker is given to do.</summary>
/// <param name="Trial">The trial; null where there is none.</param>
/// <param name="OthersRun">Where there is none, whether others are at work, whose trials may come back.</param>
internal sealed record Claim(SweepTrial? Trial, bool OthersRun);
