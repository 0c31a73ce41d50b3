namespace Microsoft.ML.VisionModels;

/// <summary>The answers given with about the same confidence. Of a calibrated classifier, 80 of 100 answers given with 0.8 are right.</summary>
/// <param name="Low">The bin's lower end, not itself in the bin.</param>
/// <param name="High">The bin's upper end, in the bin.</param>
/// <param name="Count">The answers in the bin.</param>
/// <param name="Confidence">The mean probability of these answers; NaN where there are none.</param>
/// <param name="Accuracy">The share of these answers that is right; NaN where there are none.</param>
public sealed record ReliabilityBin(double Low, double High, long Count, double Confidence, double Accuracy);
