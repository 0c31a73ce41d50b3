namespace Microsoft.ML.VisionModels.Sweeps.Samplers;

/// <summary>What to try.</summary>
/// <param name="Candidate">The name of the estimator.</param>
/// <param name="Parameters">Its hyper-parameters.</param>
internal sealed record Proposal(string Candidate, IReadOnlyDictionary<string, object> Parameters);
