namespace Microsoft.ML.VisionModels;

/// <summary>The near-duplicates among rows: the result of <c>mlContext.Vision().FindDuplicates</c>.</summary>
/// <param name="Groups">The groups, in the order of their first rows.</param>
/// <param name="Count">The rows that were searched.</param>
/// <param name="LeftOut">The ids of the rows that were not, as their embedding is NaN (an image that could not be read), infinite or all zeros.</param>
public sealed record Duplicates(IReadOnlyList<DuplicateGroup> Groups, int Count, IReadOnlyList<string> LeftOut);

/// <summary>Rows that are near-duplicates of one another, if only through others of the group.</summary>
/// <param name="Ids">Their ids, in the order of the rows.</param>
/// <param name="Pairs">What connects them.</param>
public sealed record DuplicateGroup(IReadOnlyList<string> Ids, IReadOnlyList<DuplicatePair> Pairs);

/// <summary>Two near-duplicates.</summary>
/// <param name="First">The id of one.</param>
/// <param name="Second">The id of the other.</param>
/// <param name="Cosine">The cosine of their embeddings.</param>
/// <param name="Likeness">The likeness of the images themselves; NaN where they were not compared.</param>
public sealed record DuplicatePair(string First, string Second, double Cosine, double Likeness);
