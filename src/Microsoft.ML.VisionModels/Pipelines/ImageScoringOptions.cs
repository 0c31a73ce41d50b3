using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What every estimator that reads images can be told.</summary>
public abstract class ImageScoringOptions : ScoringOptions
{
    /// <summary>
    /// The column of images. Default "Image". It holds text with file paths; the bytes of image files, as a <c>byte[]</c> property or
    /// ML.NET's LoadRawImageBytes gives them; or <see cref="MLImage"/>, which <see cref="VisionImage"/> loads as training sees it.
    /// </summary>
    [ScoringSetting]
    public string ImageColumnName { get; set; } = "Image";

    /// <summary>
    /// Pass over images that cannot be read or preprocessed: training leaves them out, scoring gives missing values (NaN, and no label).
    /// Default false: such an image is an <see cref="ImageDecodeException"/>.
    /// </summary>
    [ScoringSetting]
    public bool SkipInvalidImages { get; set; }

    /// <summary>How images become the network's input; null takes the checkpoint's own, or else resizes to the network's size and scales to -1 to 1.</summary>
    public ImagePreprocessing? Preprocessing { get; set; }

    internal override IEnumerable<InputColumn> Inputs => [ImageColumn.Input(ImageColumnName)];
}
