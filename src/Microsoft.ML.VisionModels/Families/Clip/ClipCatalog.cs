using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Families.Clip;

namespace Microsoft.ML;

/// <summary>CLIP in ML.NET pipelines: images and words in one space.</summary>
public static class ClipCatalog
{
    /// <summary>Classifies images with words; nothing is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A folder as Hugging Face or open_clip publishes it, with the tokenizer's files; or a file with OpenAI's names beside them.</param>
    /// <param name="labels">The classes, in words.</param>
    /// <param name="templates">The sentences that a class is put into, in the place of <c>{}</c>; null takes "a photo of a {}.".</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <returns>An estimator that adds <c>Score</c> (probabilities, a vector with the labels as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<ClassifierTransformer> ClipZeroShot(
        this TransformsCatalog catalog, string checkpoint, IReadOnlyList<string> labels, IReadOnlyList<string>? templates = null, string imageColumnName = "Image") =>
        catalog.ClipZeroShot(new ClipZeroShotOptions
        {
            Checkpoint = checkpoint,
            Labels = labels,
            Templates = templates ?? ClipTemplates.Default,
            ImageColumnName = imageColumnName,
        });

    /// <summary>Classifies images with words; nothing is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ClassifierTransformer> ClipZeroShot(this TransformsCatalog catalog, ClipZeroShotOptions options) =>
        VisionEstimator.Of(catalog, options, VisionModels.Families.Clip.ClipZeroShot.Fit);

    /// <summary>Learns classes from a few labeled images each, 1 to 16 or so.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A folder as Hugging Face or open_clip publishes it, with the tokenizer's files; or a file with OpenAI's names beside them.</param>
    /// <param name="method">How the classes are learned.</param>
    /// <param name="labelColumnName">The column of the right answers: a key, text, an integer or a Boolean. Their names are the classes' words.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <returns>An estimator that adds <c>Score</c> (probabilities, a vector with the classes as slot names) and <c>PredictedLabel</c> (a key with the labels as values).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<ClassifierTransformer> ClipFewShot(
        this TransformsCatalog catalog, string checkpoint, ClipFewShotMethod method = ClipFewShotMethod.TipAdapter, string labelColumnName = "Label", string imageColumnName = "Image") =>
        catalog.ClipFewShot(new ClipFewShotOptions { Checkpoint = checkpoint, Method = method, LabelColumnName = labelColumnName, ImageColumnName = imageColumnName });

    /// <summary>Learns classes from a few labeled images each, 1 to 16 or so.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ClassifierTransformer> ClipFewShot(this TransformsCatalog catalog, ClipFewShotOptions options) =>
        VisionEstimator.Of(catalog, options, VisionModels.Families.Clip.ClipFewShot.Fit);

    /// <summary>Trains CLIP on images and texts that describe them, from random weights or from a checkpoint.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="textColumnName">The column of texts.</param>
    /// <param name="preset">The network's size.</param>
    /// <param name="checkpoint">Published weights to go on from; null starts from random ones.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>An estimator that adds <c>ImageEmbedding</c> and <c>TextEmbedding</c>, vectors of length 1; its model's <c>SaveCheckpoint</c> gives what the other methods load.</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<ClipTransformer> ClipTrainer(
        this TransformsCatalog catalog, string imageColumnName = "Image", string textColumnName = "Text",
        ClipPreset preset = ClipPreset.SmallImage, string? checkpoint = null, int epochs = 30) => catalog.ClipTrainer(new ClipTrainerOptions
        {
            ImageColumnName = imageColumnName,
            TextColumnName = textColumnName,
            Preset = preset,
            Checkpoint = checkpoint,
            Epochs = epochs,
        });

    /// <summary>Trains CLIP on images and texts that describe them, from random weights or from a checkpoint.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ClipTransformer> ClipTrainer(this TransformsCatalog catalog, ClipTrainerOptions options) =>
        VisionEstimator.Of(catalog, options, ClipTraining.Fit);

    /// <summary>Adds a vector for each image, close to those of other images like it and of texts that describe it.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A folder as Hugging Face or open_clip publishes it (CLIP or SigLIP), or a file with OpenAI's names.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="embeddingColumnName">The column for the vector, of length 1.</param>
    public static VisionEstimator<ImageFeaturizerTransformer> ClipImageEmbedding(
        this TransformsCatalog catalog, string checkpoint, string imageColumnName = "Image", string embeddingColumnName = "Embedding") =>
        catalog.ClipImageEmbedding(new ClipImageEmbeddingOptions { Checkpoint = checkpoint, ImageColumnName = imageColumnName, EmbeddingColumnName = embeddingColumnName });

    /// <summary>Adds a vector for each image, close to those of other images like it and of texts that describe it.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ImageFeaturizerTransformer> ClipImageEmbedding(this TransformsCatalog catalog, ClipImageEmbeddingOptions options) =>
        VisionEstimator.Of(catalog, options, Embed);

    /// <summary>Adds a vector for each text, close to those of images that it describes.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A folder as Hugging Face or open_clip publishes it (CLIP or SigLIP), with the tokenizer's files; or a file with OpenAI's names beside them.</param>
    /// <param name="textColumnName">The column of texts.</param>
    /// <param name="embeddingColumnName">The column for the vector, of length 1.</param>
    public static VisionEstimator<ClipTextEmbeddingTransformer> ClipTextEmbedding(
        this TransformsCatalog catalog, string checkpoint, string textColumnName = "Text", string embeddingColumnName = "Embedding") =>
        catalog.ClipTextEmbedding(new ClipTextEmbeddingOptions { Checkpoint = checkpoint, TextColumnName = textColumnName, EmbeddingColumnName = embeddingColumnName });

    /// <summary>Adds a vector for each text, close to those of images that it describes.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<ClipTextEmbeddingTransformer> ClipTextEmbedding(this TransformsCatalog catalog, ClipTextEmbeddingOptions options) =>
        VisionEstimator.Of(catalog, options, ClipTextEmbeddingTransformer.Fit);

    private static ImageFeaturizerTransformer Embed(FitContext<ClipImageEmbeddingOptions> context)
    {
        var published = PublishedClip.Open(context.Options);
        var preprocessing = published.PreprocessingOr(context.Options.Preprocessing);
        return ClipImageEmbeddingKind.Fit(context, published.VisionTower(), preprocessing);
    }
}
