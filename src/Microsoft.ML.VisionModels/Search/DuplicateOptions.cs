using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Vision().FindDuplicates</c> can be told.</summary>
public sealed class DuplicateOptions
{
    /// <summary>
    /// The least cosine of two embeddings that may be of near-duplicates, -1 to 1. Null, the default, is 0.95, and 0.7 with <see cref="ImageColumnName"/>, where
    /// it only decides which images are compared.
    /// </summary>
    public double? MinCosine { get; set; }

    /// <summary>How many of a row's nearest others are looked at; at least 1. Default 10. Larger groups are found through their members' neighbors.</summary>
    public int Neighbors { get; set; } = 10;

    /// <summary>
    /// The column of images, by which rows with near embeddings are compared themselves: MLImage, text with file paths, or the bytes of files. Null, the
    /// default, goes by the embeddings alone, which tell the same kind of thing rather than the same image.
    /// </summary>
    public string? ImageColumnName { get; set; }

    /// <summary>
    /// With <see cref="ImageColumnName"/>, the least likeness of two images that are near-duplicates, -1 to 1: both are taken at 24 x 24 pixels, in blocks
    /// of 6 x 6, and it is the mean structural similarity (Wang et al. 2004) of the quarter of blocks that are least alike, at best over cuts of up to a
    /// twentieth of the width and the height of either. Default 0.8.
    /// </summary>
    public double MinLikeness { get; set; } = 0.8;

    /// <summary>The column of ids, text such as paths, which may occur more than once; null takes the rows' numbers, from 0. Default "ImagePath".</summary>
    public string? IdColumnName { get; set; } = "ImagePath";

    /// <summary>The column of embeddings: a vector of Single of known size. Default "Embedding".</summary>
    public string EmbeddingColumnName { get; set; } = "Embedding";

    /// <summary>Ends the search.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>What <see cref="MinCosine"/> comes to.</summary>
    internal double LeastCosine => MinCosine ?? (ImageColumnName is null ? 0.95 : 0.7);

    internal void Validate()
    {
        OptionChecks.Require(LeastCosine, LeastCosine is >= -1 and <= 1, "from -1 to 1", nameof(MinCosine));
        OptionChecks.Require(MinLikeness, MinLikeness is >= -1 and <= 1, "from -1 to 1");
        OptionChecks.Require(Neighbors, Neighbors >= 1, "at least 1");
        OptionChecks.RequireNameOrNull(ImageColumnName, nameof(ImageColumnName));
        OptionChecks.RequireNameOrNull(IdColumnName, nameof(IdColumnName));
        OptionChecks.RequireName(EmbeddingColumnName, nameof(EmbeddingColumnName));
    }
}
