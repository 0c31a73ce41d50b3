using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Families.Diffusion;

namespace Microsoft.ML;

/// <summary>Diffusion models in ML.NET pipelines: images from words, classes, images and noise.</summary>
public static class DiffusionCatalog
{
    /// <summary>Makes images from words with a published model; nothing is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">A folder as Hugging Face's diffusers publish it, with <c>model_index.json</c>.</param>
    /// <param name="promptColumnName">The column of prompts; null for models that know no words.</param>
    /// <param name="steps">Steps from noise to the image.</param>
    /// <param name="guidanceScale">How many times as far as the prompt itself would lead; 1 is without guidance.</param>
    /// <returns>An estimator that adds <c>GeneratedImage</c> (MLImage).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<DiffusionTransformer> DiffusionGenerator(
        this TransformsCatalog catalog, string checkpoint, string? promptColumnName = "Prompt", int steps = 30, double guidanceScale = 7.5) =>
        catalog.DiffusionGenerator(new DiffusionGeneratorOptions
        {
            Checkpoint = checkpoint, PromptColumnName = promptColumnName, Sampling = new() { Steps = steps, GuidanceScale = guidanceScale },
        });

    /// <summary>Makes images with a published model; nothing is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<DiffusionTransformer> DiffusionGenerator(this TransformsCatalog catalog, DiffusionGeneratorOptions options) =>
        VisionEstimator.Of(catalog, options, DiffusionModel.Load);

    /// <summary>Learns to make images like those of a column.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="captionColumnName">The column of texts that describe the images; null learns without words.</param>
    /// <param name="imageColumnName">The column of images: MLImage, text with file paths, or bytes.</param>
    /// <param name="imageSize">Height and width of the images that are made, in pixels.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>An estimator whose model adds <c>GeneratedImage</c> (MLImage) to rows with texts.</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<DiffusionTransformer> DiffusionTrainer(
        this TransformsCatalog catalog, string? captionColumnName = "Caption", string imageColumnName = "Image", int imageSize = 32, int epochs = 100) =>
        catalog.DiffusionTrainer(new DiffusionTrainerOptions { CaptionColumnName = captionColumnName, ImageColumnName = imageColumnName, ImageSize = imageSize, Epochs = epochs });

    /// <summary>Learns to make images like those of a column.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<DiffusionTransformer> DiffusionTrainer(this TransformsCatalog catalog, DiffusionTrainerOptions options) =>
        VisionEstimator.Of(catalog, options, DiffusionTraining.Fit);
}
