namespace Microsoft.ML.VisionModels;

/// <summary>A point of a prompt.</summary>
/// <param name="X">Pixels from the image's left edge.</param>
/// <param name="Y">Pixels from the image's upper edge.</param>
/// <param name="IsForeground">Whether the point belongs to what is meant, or to what is not.</param>
public readonly record struct SamPoint(float X, float Y, bool IsForeground = true);
