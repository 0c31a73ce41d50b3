using Microsoft.ML.VisionModels.Imaging.Augmentation;

namespace Microsoft.ML.VisionModels;

/// <summary>How an image is resampled, with the codes that Pillow and <c>preprocessor_config.json</c> use (<c>resample</c>).</summary>
/// <remarks>All but <see cref="Nearest"/> average over the area that a new pixel covers, so that shrinking an image does not alias.</remarks>
public enum ResizeFilter
{
    /// <summary>The nearest pixel.</summary>
    Nearest = 0,

    /// <summary>A windowed sinc over three pixels to each side: the sharpest.</summary>
    Lanczos = 1,

    /// <summary>A triangle over one pixel to each side.</summary>
    Bilinear = 2,

    /// <summary>A cubic over two pixels to each side, with a = -0.5.</summary>
    Bicubic = 3,

    /// <summary>The mean over the area.</summary>
    Box = 4,

    /// <summary>A Hamming-windowed sinc over one pixel to each side.</summary>
    Hamming = 5,
}
