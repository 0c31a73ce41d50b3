using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Trains a Swin Transformer to classify images (<see href="https://arxiv.org/abs/2103.14030"/>; V2,
/// <see href="https://arxiv.org/abs/2111.09883"/>), or loads a published one. Made by <c>mlContext.Transforms.SwinClassifier</c>.
/// </summary>
public sealed class SwinClassifierEstimator : ImageClassifierEstimator<SwinClassifierTransformer>
{
    internal SwinClassifierEstimator(IHostEnvironment environment, SwinClassifierOptions options)
        : base(environment, nameof(SwinClassifierEstimator), options)
    {
    }

    private protected override ClassifierBlueprint Plan(ImageClassifierOptions options) => SwinBlueprint.From((SwinClassifierOptions)options);

    private protected override SwinClassifierTransformer Create(ClassifierParts parts) => new(Host, parts);
}
