using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What Stable Diffusion XL is told of an image's sizes, as it was of those that it was trained with (arXiv 2307.01952, 2.2): it makes images as
/// sharp as ones of the original size are, and composed as ones that were cropped so.
/// </summary>
public sealed record DiffusionSizes
{
    /// <summary>The height before the image was resized, at least 1; null, the default, for the height that is made.</summary>
    public int? OriginalHeight { get; init; }

    /// <summary>The width before the image was resized, at least 1; null, the default, for the width that is made.</summary>
    public int? OriginalWidth { get; init; }

    /// <summary>The rows that were cut off above, at least 0. Default 0: what the image shows is in its center.</summary>
    public int CropTop { get; init; }

    /// <summary>The columns that were cut off on the left, at least 0. Default 0.</summary>
    public int CropLeft { get; init; }

    /// <summary>The height that was cropped to, at least 1; null, the default, for the height that is made.</summary>
    public int? TargetHeight { get; init; }

    /// <summary>The width that was cropped to, at least 1; null, the default, for the width that is made.</summary>
    public int? TargetWidth { get; init; }

    /// <summary>The numbers as the network is told them.</summary>
    /// <param name="made">The size of the image that is made.</param>
    internal int[] Of(ImageSize made) =>
        [OriginalHeight ?? made.Height, OriginalWidth ?? made.Width, CropTop, CropLeft, TargetHeight ?? made.Height, TargetWidth ?? made.Width];

    internal void Validate()
    {
        OptionChecks.RequireAtLeast(OriginalHeight, 1, "Sampling.Sizes.OriginalHeight");
        OptionChecks.RequireAtLeast(OriginalWidth, 1, "Sampling.Sizes.OriginalWidth");
        OptionChecks.Require(CropTop, CropTop >= 0, "at least 0", "Sampling.Sizes.CropTop");
        OptionChecks.Require(CropLeft, CropLeft >= 0, "at least 0", "Sampling.Sizes.CropLeft");
        OptionChecks.RequireAtLeast(TargetHeight, 1, "Sampling.Sizes.TargetHeight");
        OptionChecks.RequireAtLeast(TargetWidth, 1, "Sampling.Sizes.TargetWidth");
    }
}
