using System.Globalization;

namespace Microsoft.ML.VisionModels;

/// <summary>How good an embedding is: the result of <c>mlContext.Vision().EvaluateEmbedding</c>.</summary>
public sealed record EmbeddingMetrics
{
    internal EmbeddingMetrics()
    {
    }

    /// <summary>The rows whose neighbors and classifier the test rows are judged by. Rows without a label or an embedding are not among them.</summary>
    public required long TrainCount { get; init; }

    /// <summary>The test rows that were measured.</summary>
    public required long Count { get; init; }

    /// <summary>The test rows that could not be measured, and why; without a prediction are those whose embedding is NaN, infinite or all zeros.</summary>
    public required LeftOutRows LeftOut { get; init; }

    /// <summary>The share of test rows whose class is the one that their nearest training rows vote for, 0 to 1: the usual measure of self-supervised learning without any training.</summary>
    public required double KnnAccuracy { get; init; }

    /// <summary>The share of test rows whose class is among the five with the most votes, 0 to 1.</summary>
    public required double KnnTop5Accuracy { get; init; }

    /// <summary>The share of test rows that a linear classifier of the embedding gets right, 0 to 1.</summary>
    public required double LinearAccuracy { get; init; }

    /// <summary>
    /// The mean standard deviation of a value of the test rows' embeddings, made of length 1, times the root of their length (arXiv 2011.10566): 1
    /// for directions drawn at random, 0 where all are the same.
    /// </summary>
    public required double Deviation { get; init; }

    /// <summary>The logarithm of the mean of exp(-2 d²) over pairs of test rows at distance d (arXiv 2005.10242): 0 where all are the same, near -4 where they are spread evenly.</summary>
    public required double Uniformity { get; init; }

    /// <summary>How many directions the test rows differ in, as the exponential of the entropy of their singular values (arXiv 2210.02885); 0 where all are the same.</summary>
    public required double EffectiveRank { get; init; }

    /// <summary>Whether the embedding is nearly the same for all test rows, or differs in one direction alone: it has collapsed, and tells nothing of images.</summary>
    public required bool IsCollapsed { get; init; }

    /// <summary>The measures in two lines.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        {Count:N0} rows by {TrainCount:N0}: kNN accuracy {KnnAccuracy:0.0000}, top-5 {KnnTop5Accuracy:0.0000}, linear {LinearAccuracy:0.0000}
        deviation {Deviation:0.000}, uniformity {Uniformity:0.00}, effective rank {EffectiveRank:0.0}{(IsCollapsed ? ": collapsed" : "")}
        """);
}
