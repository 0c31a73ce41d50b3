namespace Microsoft.ML.VisionModels.Training;

/// <summary>How good a network is on the validation rows.</summary>
/// <param name="Score">What the best epoch is chosen by: higher is better. Null where nothing tells which is best: the last weights are kept.</param>
/// <param name="Loss">Decides between equal scores: lower is better. Null where there is none.</param>
/// <param name="Metrics">What is shown, by name.</param>
internal sealed record ValidationResult(double? Score, double? Loss, IReadOnlyDictionary<string, double> Metrics)
{
    // CompareTo puts NaN below every number, so that a NaN never wins.
    public bool IsBetterThan(ValidationResult other) => (Score ?? double.NaN, -(Loss ?? 0)).CompareTo((other.Score ?? double.NaN, -(other.Loss ?? 0))) > 0;
}
