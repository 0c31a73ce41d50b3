namespace Microsoft.ML.VisionModels;

/// <summary>How far the search for an image's segments is.</summary>
/// <param name="Done">How many points have been asked about.</param>
/// <param name="Points">How many there are, those of crops included.</param>
public sealed record SamEverythingProgress(int Done, int Points);
