using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Clip;

/// <summary>What CLIP and SigLIP learn by: in a batch of pairs, each picture's text is the one of its own pair, and the other way round.</summary>
internal static class ClipLoss
{
    private static readonly TorchSharp.Scalar s_half = 0.5;    // kept, see TensorSums

    /// <summary>The mean of the cross entropies over the rows and over the columns (arXiv 2103.00020, figure 3), a scalar.</summary>
    /// <param name="logits">[N, N], pictures x texts; the pairs are on the diagonal.</param>
    public static Tensor Symmetric(Tensor logits)
    {
        var pairs = arange(logits.shape[0], device: logits.device);
        return F.cross_entropy(logits, pairs).Plus(F.cross_entropy(logits.t(), pairs)).mul(s_half);
    }

    /// <summary>Each pair judged by itself (arXiv 2303.15343, algorithm 1), a scalar: the sum over the texts, the mean over the pictures.</summary>
    /// <param name="logits">[N, N], pictures x texts; the pairs are on the diagonal.</param>
    public static Tensor Sigmoid(Tensor logits)
    {
        var pairs = eye(logits.shape[0], dtype: logits.dtype, device: logits.device);
        return F.binary_cross_entropy_with_logits(logits, pairs, reduction: TorchSharp.torch.nn.Reduction.None).sum(1).mean();
    }
}
