using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A fitted Swin Transformer classifier.</summary>
public sealed class SwinClassifierTransformer : ImageClassifierTransformer
{
    internal SwinClassifierTransformer(IHostEnvironment environment, ClassifierParts parts)
        : base(environment, nameof(SwinClassifierTransformer), parts)
    {
    }

    // Found by its signature when a model is loaded.
    internal SwinClassifierTransformer(IHostEnvironment environment, ModelArchiveReader archive)
        : base(environment, nameof(SwinClassifierTransformer), archive, SwinClassifierModel.FromConfig)
    {
    }
}
