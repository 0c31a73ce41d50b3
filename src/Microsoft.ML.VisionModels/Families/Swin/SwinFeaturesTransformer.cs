using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A Swin Transformer that tells features.</summary>
public sealed class SwinFeaturesTransformer : ImageFeaturizerTransformer
{
    internal SwinFeaturesTransformer(IHostEnvironment environment, FeaturizerParts parts)
        : base(environment, nameof(SwinFeaturesTransformer), parts)
    {
    }

    // Found by its signature when a model is loaded.
    internal SwinFeaturesTransformer(IHostEnvironment environment, ModelArchiveReader archive)
        : base(environment, nameof(SwinFeaturesTransformer), archive, SwinFeaturizerModel.FromConfig)
    {
    }
}
