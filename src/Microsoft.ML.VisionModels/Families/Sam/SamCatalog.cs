using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Families.Sam;

namespace Microsoft.ML;

/// <summary>The Segment Anything Model in ML.NET pipelines.</summary>
public static class SamCatalog
{
    /// <summary>Adds a mask of what points or boxes in each row mean.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">SAM: a Hugging Face folder, Meta's .pth, or MobileSAM's .pt; a .safetensors with the same tensors will do.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <param name="pointsColumnName">A column of vectors (Single) x, y, x, y and so on, in pixels, that together mean one thing; null for none.</param>
    /// <param name="boxesColumnName">A column of vectors (Single) left, top, right, bottom and so on, in pixels, each box a prompt of its own; null for none.</param>
    /// <returns>An estimator that adds <c>Mask</c> (an image, white inside) and <c>MaskScores</c> (a vector of Single).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range, or there is no prompt.</exception>
    public static VisionEstimator<SamMasksTransformer> SamMasks(
        this TransformsCatalog catalog, string checkpoint, string imageColumnName = "Image", string? pointsColumnName = null, string? boxesColumnName = null) =>
        catalog.SamMasks(new SamMasksOptions { Checkpoint = checkpoint, ImageColumnName = imageColumnName, PointsColumnName = pointsColumnName, BoxesColumnName = boxesColumnName });

    /// <summary>Adds masks of what points, boxes or rough masks mean.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or there is no prompt.</exception>
    public static VisionEstimator<SamMasksTransformer> SamMasks(this TransformsCatalog catalog, SamMasksOptions options) =>
        VisionEstimator.Of(catalog, options, SamModel.FitMasks);

    /// <summary>Adds all segments that can be seen in each image.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="checkpoint">SAM: a Hugging Face folder, Meta's .pth, or MobileSAM's .pt; a .safetensors with the same tensors will do.</param>
    /// <param name="imageColumnName">The column of images: MLImage, or text with file paths.</param>
    /// <returns>An estimator that adds <c>Segments</c> (JSON text) and <c>SegmentCount</c> (Single).</returns>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    public static VisionEstimator<SamEverythingTransformer> SamEverything(this TransformsCatalog catalog, string checkpoint, string imageColumnName = "Image") =>
        catalog.SamEverything(new SamEverythingOptions { Checkpoint = checkpoint, ImageColumnName = imageColumnName });

    /// <summary>Adds all segments that can be seen in each image.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<SamEverythingTransformer> SamEverything(this TransformsCatalog catalog, SamEverythingOptions options) =>
        VisionEstimator.Of(catalog, options, SamModel.FitEverything);
}
