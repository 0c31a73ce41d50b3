namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>What a classifier says of one row. All null, and no label, where the row's picture could not be read.</summary>
/// <param name="Label">The likeliest class, from 1; 0 for none, as in ML.NET's keys.</param>
internal readonly record struct ClassifierResult(float[]? Score, uint Label, float[]? Embedding, float[]? Attention);
