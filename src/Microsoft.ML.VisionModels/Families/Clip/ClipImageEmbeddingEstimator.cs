using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>Loads CLIP's or SigLIP's vision tower. Made by <c>mlContext.Transforms.ClipImageEmbedding</c>.</summary>
public sealed class ClipImageEmbeddingEstimator : ImageFeaturizerEstimator<ClipImageEmbeddingTransformer>
{
    internal ClipImageEmbeddingEstimator(IHostEnvironment environment, ClipImageEmbeddingOptions options)
        : base(environment, nameof(ClipImageEmbeddingEstimator), options)
    {
    }

    private protected override (FeaturizerModel Model, ImagePreprocessing Preprocessing) Open(ImageFeaturizerOptions options)
    {
        var source = ClipSource.Open(options.Checkpoint!);
        var preprocessing = source.PreprocessingOr(options.Preprocessing);
        return (source.VisionModel(), preprocessing);
    }

    private protected override ClipImageEmbeddingTransformer Create(FeaturizerParts parts) => new(Host, parts);
}
