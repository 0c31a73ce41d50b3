using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Sorts a network's trainable parameters into groups.</summary>
internal static class ParameterGroups
{
    /// <summary>
    /// Two groups, with and without weight decay. Vectors and scalars (norms, biases, layer scales) are spared, and so is what
    /// <paramref name="isSpared"/> takes by its name: tokens and position embeddings. Frozen parameters are left out.
    /// </summary>
    public static IReadOnlyList<ParameterGroup> WithDecay(nn.Module network, double weightDecay, Func<string, bool>? isSpared = null)
    {
        var trainable = network.named_parameters().Where(p => p.parameter.requires_grad);
        var bySpared = trainable.ToLookup(p => p.parameter.dim() <= 1 || isSpared?.Invoke(p.name) == true, p => p.parameter);
        ParameterGroup[] groups = [new([.. bySpared[false]], weightDecay), new([.. bySpared[true]], WeightDecay: 0)];
        return [.. groups.Where(g => g.Parameters.Count > 0)];
    }
}
