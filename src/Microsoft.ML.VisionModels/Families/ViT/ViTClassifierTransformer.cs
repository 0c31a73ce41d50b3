using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A fitted Vision Transformer classifier.</summary>
public sealed class ViTClassifierTransformer : ImageClassifierTransformer
{
    internal ViTClassifierTransformer(IHostEnvironment environment, ClassifierParts parts)
        : base(environment, nameof(ViTClassifierTransformer), parts)
    {
    }

    // Found by its signature when a model is loaded.
    internal ViTClassifierTransformer(IHostEnvironment environment, ModelArchiveReader archive)
        : base(environment, nameof(ViTClassifierTransformer), archive, ViTClassifierModel.FromConfig)
    {
    }
}
