using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.VisionModels;

namespace Samples;

/// <summary>The classifiers that a sample can train, told apart by their options.</summary>
internal static class Families
{
    /// <summary>Trains the model: the labels become keys, the classifier learns, and its answer becomes text again.</summary>
    public static TransformerChain<KeyToValueMappingTransformer> Fit(MLContext mlContext, IDataView train, ImageClassifierOptions options)
    {
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(Classifier(mlContext, options))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Prediction", "PredictedLabel"));
        return pipeline.Fit(train);
    }

    private static IEstimator<ImageClassifierTransformer> Classifier(MLContext mlContext, ImageClassifierOptions options) => options switch
    {
        ViTClassifierOptions vit => mlContext.Transforms.ViTClassifier(vit),
        SwinClassifierOptions swin => mlContext.Transforms.SwinClassifier(swin),
        _ => throw new ArgumentException($"There is no estimator for {options.GetType().Name}."),
    };
}
