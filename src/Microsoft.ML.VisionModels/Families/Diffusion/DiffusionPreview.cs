using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels;

/// <summary>What a diffusion model in training makes.</summary>
/// <param name="Epoch">The epoch that is done, from 1.</param>
/// <param name="Images">For each of <see cref="DiffusionTrainerOptions.PreviewRows"/> an image, of the same noise each time. Whoever is told disposes of them.</param>
public sealed record DiffusionPreview(int Epoch, IReadOnlyList<MLImage> Images);
