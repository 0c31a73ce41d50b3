using Microsoft.ML;
using Microsoft.ML.VisionModels;

namespace Samples;

/// <summary>The classifiers that a sample can train, told apart by their options.</summary>
internal static class Families
{
    public static IEstimator<ImageClassifierTransformer> Classifier(MLContext mlContext, ImageClassifierOptions options) => options switch
    {
        ViTClassifierOptions vit => mlContext.Transforms.ViTClassifier(vit),
        SwinClassifierOptions swin => mlContext.Transforms.SwinClassifier(swin),
        _ => throw new ArgumentException($"There is no estimator for {options.GetType().Name}."),
    };
}
