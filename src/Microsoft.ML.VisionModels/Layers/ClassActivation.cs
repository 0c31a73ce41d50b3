using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Class activation maps: how much each place speaks for a class, where a linear head reads the mean of the places' features.
/// Zhou et al., "Learning Deep Features for Discriminative Localization" (arXiv 1512.04150); Grad-CAM (arXiv 1610.02391) for such a
/// head, whose gradient is its weights. What speaks against the class is cut off.
/// </summary>
internal static class ClassActivation
{
    /// <summary>relu(sum over c of w[k, c] f[n, c]) for each place n, [B, N].</summary>
    /// <param name="features">What the mean is taken of, [B, N, C].</param>
    /// <param name="weight">The head's weight, [classes, C].</param>
    /// <param name="classes">A class k of each image, [B].</param>
    public static Tensor Of(Tensor features, Tensor weight, Tensor classes) =>
        features.to(weight.dtype).matmul(weight.index_select(0, classes).unsqueeze(-1))     // [B, N, C] x [B, C, 1] -> [B, N, 1]
            .squeeze(-1).relu();

    /// <summary>Each image's values, [B, N], at least 0, so that the largest is 1; all 0 where nothing speaks for the answer.</summary>
    public static Tensor Scaled(Tensor map) => map / map.amax([1], keepdim: true).ClampMin(1e-12);
}
