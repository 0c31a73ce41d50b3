namespace Microsoft.ML.VisionModels;

/// <summary>The clusters of rows: the result of <c>mlContext.Vision().FindClusters</c>.</summary>
/// <param name="All">The clusters, the largest first.</param>
/// <param name="LeftOut">The ids of the rows that are in none, as their embedding is NaN (an image that could not be read), infinite or all zeros.</param>
public sealed record Clusters(IReadOnlyList<Cluster> All, IReadOnlyList<string> LeftOut);

/// <summary>Rows that are near one another.</summary>
/// <param name="Rows">Its rows, the one that is nearest to the cluster's center, and so the most typical, first.</param>
public sealed record Cluster(IReadOnlyList<ClusteredRow> Rows);

/// <summary>A row of a cluster.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Distance">The Euclidean distance of its embedding, made of length 1, to the cluster's center.</param>
public sealed record ClusteredRow(string Id, double Distance);
