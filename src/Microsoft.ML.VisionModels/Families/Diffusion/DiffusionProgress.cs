using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels;

/// <summary>How far a batch of images is.</summary>
/// <param name="FirstRow">The number of the batch's first row in its data.</param>
/// <param name="Step">The step that is done, from 1.</param>
/// <param name="Steps">The steps in all.</param>
/// <param name="Previews">What the images look like now, in the order of the rows; empty where none are asked for at this step. Whoever is told disposes of them.</param>
public sealed record DiffusionProgress(long FirstRow, int Step, int Steps, IReadOnlyList<MLImage> Previews);
