namespace Microsoft.ML.VisionModels.Training;

/// <summary>How good a network is on the validation rows.</summary>
/// <param name="Score">What the best epoch is chosen by: higher is better.</param>
/// <param name="Loss">Decides between equal scores: lower is better.</param>
/// <param name="Metrics">What is shown, by name.</param>
internal sealed record ValidationResult(double Score, double Loss, IReadOnlyDictionary<string, double> Metrics)
{
    // CompareTo puts NaN below every number, so that a NaN never wins.
    public bool IsBetterThan(ValidationResult other) => (Score, -Loss).CompareTo((other.Score, -other.Loss)) > 0;
}
