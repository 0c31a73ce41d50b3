using Microsoft.ML.AutoML;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.AutoML;

namespace Microsoft.ML;

/// <summary>Vision models in AutoML's sweepable pipelines.</summary>
public static class VisionAutoCatalog
{
    /// <summary>A Vision Transformer whose options are searched.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Auto()</c>.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="epochs">Passes over the training rows; null searches them too.</param>
    /// <param name="search">
    /// Says more of what is searched: <c>vit => vit.Fix(o => o.Checkpoint, "…").Range(o => o.LearningRate, 1e-5, 1e-3, logarithmic: true)</c>.
    /// Null searches everything that the options class declares.
    /// </param>
    /// <returns>A sweepable estimator, which adds <c>Score</c> (probabilities, a vector with the classes as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    public static SweepableEstimator ViTClassifier(
        this AutoCatalog catalog, string labelColumnName = "Label", string imageColumnName = "Image", int? epochs = null,
        Action<SweepCandidate<ViTClassifierOptions>>? search = null) =>
        Classifier((context, options) => context.Transforms.ViTClassifier(options), labelColumnName, imageColumnName, epochs, search);

    /// <summary>A Swin Transformer whose options are searched.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Auto()</c>.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="epochs">Passes over the training rows; null searches them too.</param>
    /// <param name="search">Says more of what is searched, as for <see cref="ViTClassifier"/>; null searches everything that the options class declares.</param>
    /// <returns>A sweepable estimator, which adds <c>Score</c> (probabilities, a vector with the classes as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    public static SweepableEstimator SwinClassifier(
        this AutoCatalog catalog, string labelColumnName = "Label", string imageColumnName = "Image", int? epochs = null,
        Action<SweepCandidate<SwinClassifierOptions>>? search = null) =>
        Classifier((context, options) => context.Transforms.SwinClassifier(options), labelColumnName, imageColumnName, epochs, search);

    /// <summary>A ResNet whose options are searched.</summary>
    /// <param name="catalog">The catalog, <c>mlContext.Auto()</c>.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="epochs">Passes over the training rows; null searches them too.</param>
    /// <param name="search">Says more of what is searched, as for <see cref="ViTClassifier"/>; null searches everything that the options class declares.</param>
    /// <returns>A sweepable estimator, which adds <c>Score</c> (probabilities, a vector with the classes as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    public static SweepableEstimator ResNetClassifier(
        this AutoCatalog catalog, string labelColumnName = "Label", string imageColumnName = "Image", int? epochs = null,
        Action<SweepCandidate<ResNetClassifierOptions>>? search = null) =>
        Classifier((context, options) => context.Transforms.ResNetClassifier(options), labelColumnName, imageColumnName, epochs, search);

    /// <summary>
    /// A Vision Transformer or a Swin Transformer, each with its options searched. To say more of what is searched, or to search other
    /// families, append the families themselves: <c>Append(auto.ViTClassifier(…), auto.SwinClassifier(…))</c> is a choice, too.
    /// </summary>
    /// <param name="catalog">The catalog, <c>mlContext.Auto()</c>.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="epochs">Passes over the training rows; null searches them too.</param>
    /// <param name="configure">Sets what is not searched, such as the device; null leaves the defaults.</param>
    /// <returns>A sweepable pipeline, to be searched as it is or appended to another.</returns>
    public static SweepablePipeline ImageClassification(
        this AutoCatalog catalog, string labelColumnName = "Label", string imageColumnName = "Image", int? epochs = null,
        Action<ImageClassifierOptions>? configure = null)
    {
        var vit = Classifier<ViTClassifierOptions>((context, options) => context.Transforms.ViTClassifier(options), labelColumnName, imageColumnName, epochs, null, configure);
        var swin = Classifier<SwinClassifierOptions>((context, options) => context.Transforms.SwinClassifier(options), labelColumnName, imageColumnName, epochs, null, configure);
        // AutoML makes a pipeline of a sequence only; a choice is had by naming its members anew.
        return vit.Append(swin).BuildSweepableEstimatorPipeline("e0 + e1");
    }

    private static CandidateEstimator Classifier<T>(
        Func<MLContext, T, IEstimator<ITransformer>> estimator, string labelColumnName, string imageColumnName, int? epochs,
        Action<SweepCandidate<T>>? search, Action<ImageClassifierOptions>? configure = null)
        where T : ImageClassifierOptions, new()
    {
        return CandidateEstimator.Of<T>(Make, candidate =>
        {
            if (epochs is { } fixedEpochs)
                candidate.Fix(options => options.Epochs, fixedEpochs);
            search?.Invoke(candidate);
        });

        IEstimator<ITransformer> Make(MLContext context, T options)
        {
            (options.LabelColumnName, options.ImageColumnName) = (labelColumnName, imageColumnName);
            configure?.Invoke(options);
            return estimator(context, options);
        }
    }
}
