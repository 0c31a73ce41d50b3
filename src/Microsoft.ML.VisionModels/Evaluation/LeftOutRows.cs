namespace Microsoft.ML.VisionModels;

/// <summary>Rows that could not be measured, each counted at the first of these reasons.</summary>
/// <param name="NoLabel">Their label is missing: empty text, or a key of 0, as a label gets that its <c>MapValueToKey</c> has not seen.</param>
/// <param name="UnknownLabel">Their label is none of the classifier's classes.</param>
/// <param name="NoPrediction">They have no predicted label or a score that is NaN, as for images that could not be read.</param>
public sealed record LeftOutRows(long NoLabel, long UnknownLabel, long NoPrediction)
{
    /// <summary>All of them.</summary>
    public long Total => NoLabel + UnknownLabel + NoPrediction;
}
