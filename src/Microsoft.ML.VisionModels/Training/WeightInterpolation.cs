using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Remembers a network's weights, and later places it between these and those that it has then: "Robust fine-tuning of zero-shot models"
/// (WiSE-FT, arXiv 2109.01903).
/// </summary>
internal sealed class WeightInterpolation : IDisposable
{
    private readonly nn.Module _network;
    private readonly Dictionary<string, Tensor> _start;

    public WeightInterpolation(nn.Module network)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _network = network;
        _start = network.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.detach().clone().DetachFromDisposeScope());
    }

    /// <param name="share">0 for the weights that were remembered, 1 for the present ones.</param>
    public void Apply(double share)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using Scalar present = share, remembered = 1 - share;    // held, see TensorArithmetic
        foreach (var (name, weight) in _network.state_dict())
            weight.mul_(present).add_(_start[name], remembered);
    }

    public void Dispose()
    {
        foreach (var tensor in _start.Values)
            tensor.Dispose();
    }
}
