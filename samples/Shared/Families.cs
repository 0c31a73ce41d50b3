using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.VisionModels;

namespace Samples;

/// <summary>The classifiers that a sample can train, told apart by their options.</summary>
internal static class Families
{
    /// <summary>Trains the model.</summary>
    public static TransformerChain<KeyToValueMappingTransformer> Fit(MLContext mlContext, IDataView train, ImageClassifierOptions options) =>
        Pipeline(mlContext, options).Fit(train);

    /// <summary>The labels become keys, the classifier learns, and its answer becomes text again.</summary>
    public static EstimatorChain<KeyToValueMappingTransformer> Pipeline(MLContext mlContext, ImageClassifierOptions options) =>
        mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(Classifier(mlContext, options))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Prediction", "PredictedLabel"));

    private static IEstimator<ImageClassifierTransformer> Classifier(MLContext mlContext, ImageClassifierOptions options) => options switch
    {
        ViTClassifierOptions vit => mlContext.Transforms.ViTClassifier(vit),
        SwinClassifierOptions swin => mlContext.Transforms.SwinClassifier(swin),
        ResNetClassifierOptions resNet => mlContext.Transforms.ResNetClassifier(resNet),
        _ => throw new ArgumentException($"There is no estimator for {options.GetType().Name}."),
    };
}
