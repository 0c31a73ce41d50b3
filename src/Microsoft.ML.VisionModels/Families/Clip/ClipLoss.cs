using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>What CLIP and SigLIP learn by: in a batch of pairs, each image's text is the one of its own pair, and the other way round.</summary>
internal static class ClipLoss
{
    /// <summary>
    /// Which texts belong to which images, [N, N]: 1 for a pair's own, and for those of others that say the same, as captions that were
    /// made of labels do. To call these wrong would teach that what looks alike must lie apart.
    /// </summary>
    /// <param name="ids">The texts' tokens, [N, T].</param>
    public static Tensor Pairs(Tensor ids)
    {
        var texts = ids.unique(return_inverse: true, dim: 0).inverse_indices!;     // [N], one number for each distinct text
        return texts.unsqueeze(0).eq(texts.unsqueeze(1)).to(ScalarType.Float32);
    }

    /// <summary>The mean of the cross entropies over the rows and over the columns (arXiv 2103.00020, figure 3), a scalar.</summary>
    /// <param name="logits">[N, N], images x texts.</param>
    /// <param name="pairs">[N, N], 1 where they belong together, which is the diagonal where all texts differ.</param>
    public static Tensor Symmetric(Tensor logits, Tensor pairs)
    {
        var targets = pairs.div(pairs.sum(1, keepdim: true));       // both ways the same, as the pairs are symmetric
        return logits.log_softmax(1).Add(logits.t().log_softmax(1)).mul(targets).sum(1).mean().Mul(-0.5);
    }

    /// <summary>Each image and text judged by itself (arXiv 2303.15343, algorithm 1), a scalar: the sum over the texts, the mean over the images.</summary>
    /// <param name="logits">[N, N], images x texts.</param>
    /// <param name="pairs">[N, N], 1 where they belong together.</param>
    public static Tensor Sigmoid(Tensor logits, Tensor pairs) =>
        F.binary_cross_entropy_with_logits(logits, pairs, reduction: TorchSharp.torch.nn.Reduction.None).sum(1).mean();
}
