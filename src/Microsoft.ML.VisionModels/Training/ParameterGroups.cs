using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Sorts a network's trainable parameters into groups.</summary>
internal static class ParameterGroups
{
    /// <summary>
    /// Groups with and without weight decay, and of each rate. Vectors and scalars (norms, biases, layer scales) are
    /// spared from decay, and so is what <paramref name="isSpared"/> takes by its name: tokens and position embeddings. Frozen
    /// parameters are left out.
    /// </summary>
    /// <param name="network">Whose parameters these are.</param>
    /// <param name="weightDecay">The decay of those that are not spared.</param>
    /// <param name="isSpared">Whether a parameter is spared, by its name.</param>
    /// <param name="rateScale">What the schedule's rate is multiplied with for a parameter, by its name; see <see cref="LayerDecay"/>.</param>
    public static IReadOnlyList<ParameterGroup> Of(
        nn.Module network, double weightDecay, Func<string, bool>? isSpared = null, Func<string, double>? rateScale = null) =>
        [.. network.named_parameters().Where(p => p.parameter.requires_grad)
            .GroupBy(
                p => (Decay: p.parameter.dim() <= 1 || isSpared?.Invoke(p.name) == true ? 0 : weightDecay, Scale: rateScale?.Invoke(p.name) ?? 1),
                p => p.parameter)
            .Select(group => new ParameterGroup([.. group], group.Key.Decay, group.Key.Scale))];

    /// <summary>
    /// Layer-wise learning-rate decay (BEiT, arXiv 2106.08254; MAE): what stands so many layers before the head learns
    /// <paramref name="decay"/> to the power of that many times as fast.
    /// </summary>
    /// <param name="decay">Above 0, at most 1.</param>
    /// <param name="layer">0 for the embeddings, i + 1 for block i, <paramref name="depth"/> + 1 for the head.</param>
    /// <param name="depth">The number of blocks.</param>
    public static double LayerDecay(double decay, int layer, int depth) => Math.Pow(decay, depth + 1 - layer);
}
