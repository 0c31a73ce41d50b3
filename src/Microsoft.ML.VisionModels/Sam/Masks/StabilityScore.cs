using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Sam;

/// <summary>How little a mask depends on the threshold (reference: facebookresearch/segment-anything, utils/amg.py).</summary>
internal static class StabilityScore
{
    /// <summary>For each mask, how many logits exceed the raised threshold for one that exceeds the lowered: the IoU of the two masks.</summary>
    /// <param name="logits">[N, H, W].</param>
    /// <param name="threshold">What is greater is inside.</param>
    /// <param name="offset">By how much the threshold is raised and lowered.</param>
    /// <returns>N scores from 0 to 1; not a number, which no threshold lets pass, where both masks are empty.</returns>
    public static float[] Of(Tensor logits, double threshold, double offset)
    {
        using Scalar raised = threshold + offset, lowered = threshold - offset;     // held, see TensorArithmetic
        var scores = new float[logits.shape[0]];
        for (var i = 0; i < scores.Length; i++)
        {
            using var scope = NewDisposeScope();
            var mask = logits[i];
            scores[i] = (float)mask.gt(raised).sum().item<long>() / mask.gt(lowered).sum().item<long>();
        }
        return scores;
    }
}
