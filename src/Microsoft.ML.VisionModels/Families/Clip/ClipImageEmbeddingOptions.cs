namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ClipImageEmbedding</c> can be told.</summary>
public sealed class ClipImageEmbeddingOptions : ImageFeaturizerOptions
{
}
