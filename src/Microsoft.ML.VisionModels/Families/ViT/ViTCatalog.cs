using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML;

/// <summary>Vision Transformers in ML.NET pipelines.</summary>
public static class ViTCatalog
{
    /// <summary>Trains a Vision Transformer to classify images, from random weights or from a checkpoint.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="preset">The network's size.</param>
    /// <param name="checkpoint">Published weights to fine-tune: a Hugging Face folder, or a weights file of the preset's size; null trains from random weights.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>An estimator that adds <c>Score</c> (probabilities, a vector with the classes as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<ImageClassifierTransformer> ViTClassifier(
        this TransformsCatalog catalog, string labelColumnName = "Label", string imageColumnName = "Image",
        ViTPreset preset = ViTPreset.SmallImage, string? checkpoint = null, int epochs = 30) => catalog.ViTClassifier(new ViTClassifierOptions
        {
            LabelColumnName = labelColumnName,
            ImageColumnName = imageColumnName,
            Preset = preset,
            Checkpoint = checkpoint,
            Epochs = epochs,
        });

    /// <summary>Trains a Vision Transformer to classify images, or loads a published one.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ImageClassifierTransformer> ViTClassifier(this TransformsCatalog catalog, ViTClassifierOptions options) =>
        VisionEstimator.Of(catalog, options, ImageClassifier.Fit);

    /// <summary>Classifies images with a published Vision Transformer and its own classes; nothing is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A Hugging Face folder: config.json with the labels, the weights, preprocessor_config.json.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    public static VisionEstimator<ImageClassifierTransformer> PretrainedViTClassifier(this TransformsCatalog catalog, string checkpoint, string imageColumnName = "Image") =>
        catalog.ViTClassifier(new ViTClassifierOptions { Checkpoint = checkpoint, ImageColumnName = imageColumnName, TrainedParts = TrainedParts.None });
}
