using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Families.SelfSupervised;

namespace Microsoft.ML;

/// <summary>Features of images without labels, in ML.NET pipelines.</summary>
public static class SslCatalog
{
    /// <summary>Learns features from images without labels, and adds them to each row.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="imageColumnName">The column of images: MLImage, bytes, or text with file paths.</param>
    /// <param name="method">How to learn.</param>
    /// <param name="backbone">The network that learns.</param>
    /// <param name="labelColumnName">The column of labels by which features are judged; nothing is learned from it. Null reads none.</param>
    /// <param name="epochs">Passes over the rows.</param>
    /// <returns>An estimator that adds <c>Embedding</c>, a vector of features.</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<ImageFeaturizerTransformer> SslFeaturizer(
        this TransformsCatalog catalog, string imageColumnName = "Image", SslMethod method = SslMethod.SimClr, SslBackbone backbone = SslBackbone.ResNetSmallImage,
        string? labelColumnName = null, int epochs = 100) => catalog.SslFeaturizer(new SslFeaturizerOptions
        {
            ImageColumnName = imageColumnName,
            Method = method,
            Backbone = backbone,
            LabelColumnName = labelColumnName,
            Epochs = epochs,
        });

    /// <summary>Learns features from images without labels, or loads a published network, and adds what it tells of each image.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ImageFeaturizerTransformer> SslFeaturizer(this TransformsCatalog catalog, SslFeaturizerOptions options) =>
        VisionEstimator.Of(catalog, options, SslModel.Fit);

    /// <summary>Adds the features of a published network; nothing is learned.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">
    /// A Hugging Face or timm folder, or a weights file, of a ViT, DeiT, DINO, DINOv2, MAE, Swin or ResNet, with a head or without: the
    /// head is passed over.
    /// </param>
    /// <param name="imageColumnName">The column of images: MLImage, bytes, or text with file paths.</param>
    /// <returns>An estimator that adds <c>Embedding</c>, a vector of features.</returns>
    public static VisionEstimator<ImageFeaturizerTransformer> PretrainedFeaturizer(this TransformsCatalog catalog, string checkpoint, string imageColumnName = "Image") =>
        catalog.SslFeaturizer(new SslFeaturizerOptions { Method = SslMethod.None, Checkpoint = checkpoint, ImageColumnName = imageColumnName });
}
