using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

namespace Microsoft.ML.VisionModels;

/// <summary>What a diffusion model learns to tell of a noisy image.</summary>
public enum DiffusionPrediction
{
    /// <summary>The noise in it (arXiv 2006.11239).</summary>
    Noise = PredictionType.Noise,

    /// <summary>The image in it.</summary>
    Image = PredictionType.Image,

    /// <summary>The velocity from the one to the other, which is steady at all noise levels (arXiv 2202.00512).</summary>
    Velocity = PredictionType.Velocity,
}
