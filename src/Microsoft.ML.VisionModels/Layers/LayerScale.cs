using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>A learned factor per channel (arXiv 2103.17239).</summary>
internal sealed class LayerScale : nn.Module<Tensor, Tensor>
{
    private Parameter gamma;

    public LayerScale(int width, double initial) : base(nameof(LayerScale))
    {
        using Scalar value = initial;
        gamma = new Parameter(full(width, value));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => x * gamma;
}
