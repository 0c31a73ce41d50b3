namespace Microsoft.ML.VisionModels;

/// <summary>How far a sweep is.</summary>
/// <param name="Trial">The trial that has begun, has ended an epoch, or is over.</param>
/// <param name="Best">The best trial of the study so far, as in <see cref="SweepStudy.Best"/>; null before the first.</param>
/// <param name="Over">How many trials are over.</param>
/// <param name="Trials">How many the study is to have; null where there is no limit.</param>
public sealed record SweepProgress(SweepTrial Trial, SweepTrial? Best, int Over, int? Trials);
