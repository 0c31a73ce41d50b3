using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Trains a Vision Transformer to classify images (<see href="https://arxiv.org/abs/2010.11929"/>; DeiT,
/// <see href="https://arxiv.org/abs/2012.12877"/>), or loads a published one. Made by <c>mlContext.Transforms.ViTClassifier</c>.
/// </summary>
public sealed class ViTClassifierEstimator : ImageClassifierEstimator<ViTClassifierTransformer>
{
    internal ViTClassifierEstimator(IHostEnvironment environment, ViTClassifierOptions options)
        : base(environment, nameof(ViTClassifierEstimator), options)
    {
    }

    private protected override ClassifierBlueprint Plan(ImageClassifierOptions options) => ViTBlueprint.From((ViTClassifierOptions)options);

    private protected override ViTClassifierTransformer Create(ClassifierParts parts) => new(Host, parts);
}
