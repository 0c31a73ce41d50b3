namespace Microsoft.ML.VisionModels;

/// <summary>What became of a folder that was labeled.</summary>
/// <param name="Images">How many images are labeled, those of earlier runs included.</param>
/// <param name="Segments">How many segments they have.</param>
/// <param name="Unreadable">The images that were left out because they cannot be read: their paths within the folder.</param>
public sealed record SamLabelResult(int Images, int Segments, IReadOnlyList<string> Unreadable);
