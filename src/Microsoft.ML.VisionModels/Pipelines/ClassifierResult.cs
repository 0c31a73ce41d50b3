using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>
/// What a classifier says of one row. The label is the likeliest class, from 1, as in ML.NET's keys. Where the row's image
/// could not be read, all is null and the label 0.
/// </summary>
internal readonly record struct ClassifierResult(float[]? Score, uint Label, float[]? Embedding, float[]? Attention);
