using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Layer norm over the channels of a feature map, at each place by itself.</summary>
internal sealed class LayerNorm2d : nn.Module<Tensor, Tensor>
{
    internal Parameter weight, bias;
    private readonly double _eps;

    public LayerNorm2d(int channels, double eps = 1e-6) : base(nameof(LayerNorm2d))
    {
        (weight, bias) = (Parameters.Full(1, channels), Parameters.Zeros(channels));
        _eps = eps;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>                                             // [B, C, H, W], the result with channels innermost in memory
        nn.functional.layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias, _eps)   // [B, H, W, C]
            .permute(0, 3, 1, 2);
}
