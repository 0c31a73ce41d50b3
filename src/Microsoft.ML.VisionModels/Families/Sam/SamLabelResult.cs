namespace Microsoft.ML.VisionModels;

/// <summary>What became of a folder that was labelled.</summary>
/// <param name="Pictures">How many pictures are labelled, those of earlier runs included.</param>
/// <param name="Segments">How many segments they have.</param>
/// <param name="Unreadable">The pictures that were left out because they cannot be read: their paths within the folder.</param>
public sealed record SamLabelResult(int Pictures, int Segments, IReadOnlyList<string> Unreadable);
