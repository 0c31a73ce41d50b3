using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>How <c>mlContext.Vision().MapEmbedding</c> finds places in the plane.</summary>
public enum EmbeddingMapMethod
{
    /// <summary>t-SNE (van der Maaten and Hinton 2008): who is near whom is kept; how far groups are from one another tells little.</summary>
    TSne,

    /// <summary>The two principal components: a plain projection, in which groups overlap more, and distances mean something.</summary>
    Pca,
}

/// <summary>What <c>mlContext.Vision().MapEmbedding</c> can be told.</summary>
public sealed class EmbeddingMapOptions
{
    /// <summary>How places are found. Default <see cref="EmbeddingMapMethod.TSne"/>.</summary>
    public EmbeddingMapMethod Method { get; set; } = EmbeddingMapMethod.TSne;

    /// <summary>Of t-SNE: about how many neighbors a row has; above 1, at most a third of the rows. Default 30.</summary>
    public double Perplexity { get; set; } = 30;

    /// <summary>Of t-SNE: steps of gradient descent, of which the first 250 form the groups; at least 1. Default 750.</summary>
    public int Steps { get; set; } = 750;

    /// <summary>At most this many rows are mapped, evenly taken; at least 3. Default 5000. Time and memory of t-SNE go with its square: 5,000 take some minutes and 2 GB.</summary>
    public int MostRows { get; set; } = 5000;

    /// <summary>The column of ids, text such as paths; null takes the rows' numbers, from 0. Default "ImagePath".</summary>
    public string? IdColumnName { get; set; } = "ImagePath";

    /// <summary>The column of embeddings: a vector of Single of known size. Default "Embedding".</summary>
    public string EmbeddingColumnName { get; set; } = "Embedding";

    /// <summary>The column whose values color the dots: a key, text, an integer or a Boolean. Null, the default, has them all alike.</summary>
    public string? LabelColumnName { get; set; }

    /// <summary>The column of images that the page shows: MLImage, text with file paths, or the bytes of files. Null, the default, shows ids alone.</summary>
    public string? ImageColumnName { get; set; }

    /// <summary>The longest side of an image on the page in pixels; at least 8. Default 96, which takes about 4 KB.</summary>
    public int ThumbnailSide { get; set; } = 96;

    /// <summary>Is told the share of the work that is done, 0 to 1.</summary>
    public IProgress<double>? Progress { get; set; }

    /// <summary>Ends the work.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal void Validate()
    {
        OptionChecks.RequireDefined(Method, nameof(Method));
        OptionChecks.Require(Perplexity, Perplexity > 1, "above 1");
        OptionChecks.Require(Steps, Steps >= 1, "at least 1");
        OptionChecks.Require(MostRows, MostRows >= 3, "at least 3");
        OptionChecks.Require(ThumbnailSide, ThumbnailSide >= 8, "at least 8");
        OptionChecks.RequireNameOrNull(IdColumnName, nameof(IdColumnName));
        OptionChecks.RequireName(EmbeddingColumnName, nameof(EmbeddingColumnName));
        OptionChecks.RequireNameOrNull(LabelColumnName, nameof(LabelColumnName));
        OptionChecks.RequireNameOrNull(ImageColumnName, nameof(ImageColumnName));
    }
}
