namespace Microsoft.ML.VisionModels;

/// <summary>A segment that <c>SamEverything</c> found.</summary>
/// <param name="Mask">The pixels, in the picture's size.</param>
/// <param name="PredictedIou">How good the network expects the mask to be, about 0 to 1.</param>
/// <param name="Stability">How little the mask depends on the threshold, 0 to 1.</param>
/// <param name="Point">The point that the segment was found with.</param>
/// <param name="Crop">The part of the picture in which it was found: x, y, width and height.</param>
public sealed record SamSegment(RunLengthMask Mask, float PredictedIou, float Stability, SamPoint Point, IReadOnlyList<int> Crop)
{
    /// <summary>What the segment shows, where there is somebody to tell: the classifier's likeliest class.</summary>
    public string? Label { get; init; }

    /// <summary>The classifier's score of <see cref="Label"/>; not a number without one.</summary>
    public float LabelScore { get; init; } = float.NaN;
}
