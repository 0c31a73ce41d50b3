namespace Microsoft.ML.VisionModels;

/// <summary>How unusual each row is among the others: the result of <c>mlContext.Vision().FindOutliers</c>.</summary>
/// <param name="Rows">All rows, the most unusual first.</param>
/// <param name="LeftOut">The ids of the rows that were left out, as their embedding is NaN (an image that could not be read), infinite or all zeros.</param>
public sealed record Outliers(IReadOnlyList<OutlierScore> Rows, IReadOnlyList<string> LeftOut);

/// <summary>How unusual a row is.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Score">The mean distance (1 - cosine, 0 to 2) to its nearest others: small where there are many like it.</param>
public sealed record OutlierScore(string Id, double Score);
