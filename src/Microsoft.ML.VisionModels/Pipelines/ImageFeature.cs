namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Something that a network tells of an image.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Shape">Its dimensions, the same for every image.</param>
internal sealed record ImageFeature(string Name, int[] Shape);
