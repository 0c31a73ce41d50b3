namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Something that a network tells of a picture.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Shape">Its dimensions, the same for every picture.</param>
internal sealed record ImageFeature(string Name, int[] Shape);
