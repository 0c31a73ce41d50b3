using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Attention roll-out: which of the first layer's tokens a token of the last layer is made of. Abnar and Zuidema, "Quantifying
/// Attention Flow in Transformers" (arXiv 2005.00928): the product over the layers of half the attention, averaged over the heads,
/// and half the identity for the residual connection.
/// </summary>
internal static class AttentionRollout
{
    /// <summary>What a layer gives to the roll-out: its attention [B, heads, T, T] as [B, T, T]. Take it while tracing, so that no layer's heads are kept.</summary>
    public static Tensor MeanOfHeads(Tensor probabilities) => probabilities.mean([1], type: ScalarType.Float32);

    /// <summary>The shares of the first layer's tokens in a token of the last, [B, T]; they sum to 1.</summary>
    /// <param name="attentions">The means over the heads, [B, T, T], the first layer first.</param>
    /// <param name="token">The token of the last layer.</param>
    public static Tensor Of(IReadOnlyList<Tensor> attentions, int token)
    {
        // The token's row of the product alone, from the last layer back: a row times a matrix, where the whole product takes
        // matrices times matrices. Rows of attention sum to 1, and so do these, without being normalized.
        var row = OneHot(attentions[^1], token);                            // [B, 1, T]
        for (var layer = attentions.Count - 1; layer >= 0; layer--)
            row = row.matmul(attentions[layer]).Add(row).Mul(0.5);
        return row.squeeze(1);                                              // [B, T]
    }

    private static Tensor OneHot(Tensor attention, int token) =>
        eye(attention.shape[1], dtype: attention.dtype, device: attention.device)[token].expand(attention.shape[0], 1, -1);
}
