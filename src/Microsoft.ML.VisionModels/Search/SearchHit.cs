namespace Microsoft.ML.VisionModels;

/// <summary>A vector that a search in an <see cref="EmbeddingIndex"/> found.</summary>
/// <param name="Id">The id under which it was added.</param>
/// <param name="Score">Its cosine similarity to the query: 1 for the same direction, 0 for a right angle, -1 for the opposite.</param>
public sealed record SearchHit(string Id, float Score);
