using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML;

/// <summary>ResNets in ML.NET pipelines.</summary>
public static class ResNetCatalog
{
    /// <summary>Trains a ResNet (<see href="https://arxiv.org/abs/1512.03385"/>) to classify images, from random weights or from a checkpoint.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="preset">The network's size.</param>
    /// <param name="checkpoint">Published weights to fine-tune: a folder of Hugging Face or timm, or a weights file of torchvision's, each of which tells its size; null trains from random weights.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>An estimator that adds <c>Score</c> (probabilities, a vector with the classes as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<ImageClassifierTransformer> ResNetClassifier(
        this TransformsCatalog catalog, string labelColumnName = "Label", string imageColumnName = "Image",
        ResNetPreset preset = ResNetPreset.SmallImage, string? checkpoint = null, int epochs = 30) => catalog.ResNetClassifier(new ResNetClassifierOptions
        {
            LabelColumnName = labelColumnName,
            ImageColumnName = imageColumnName,
            Preset = preset,
            Checkpoint = checkpoint,
            Epochs = epochs,
        });

    /// <summary>Trains a ResNet to classify images, or loads a published one.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ImageClassifierTransformer> ResNetClassifier(this TransformsCatalog catalog, ResNetClassifierOptions options) =>
        VisionEstimator.Of(catalog, options, ImageClassifier.Fit);

    /// <summary>Classifies images with a published ResNet and its own classes; nothing is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A folder of Hugging Face or timm: config.json with the labels, the weights, perhaps preprocessor_config.json.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    public static VisionEstimator<ImageClassifierTransformer> PretrainedResNetClassifier(this TransformsCatalog catalog, string checkpoint, string imageColumnName = "Image") =>
        catalog.ResNetClassifier(new ResNetClassifierOptions { Checkpoint = checkpoint, ImageColumnName = imageColumnName, TrainedParts = TrainedParts.None });
}
