using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ClipImageEmbedding</c> can be told.</summary>
public sealed class ClipImageEmbeddingOptions : ImageFeaturizerOptions, IClipCheckpoint
{
    /// <inheritdoc cref="ClipZeroShotOptions.QuickGelu"/>
    public bool? QuickGelu { get; set; }
}
