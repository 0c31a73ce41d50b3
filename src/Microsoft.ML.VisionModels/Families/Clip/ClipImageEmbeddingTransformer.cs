using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>CLIP's vision tower: adds a vector of length 1 for each image, which lies close to those of texts that describe it.</summary>
public sealed class ClipImageEmbeddingTransformer : ImageFeaturizerTransformer
{
    internal ClipImageEmbeddingTransformer(IHostEnvironment environment, FeaturizerParts parts)
        : base(environment, nameof(ClipImageEmbeddingTransformer), parts)
    {
    }

    // Found by its signature when a model is loaded.
    internal ClipImageEmbeddingTransformer(IHostEnvironment environment, ModelArchiveReader archive)
        : base(environment, nameof(ClipImageEmbeddingTransformer), archive, ClipVisionModel.FromConfig)
    {
    }
}
