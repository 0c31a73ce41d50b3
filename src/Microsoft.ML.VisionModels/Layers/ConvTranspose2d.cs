using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Two-dimensional transposed convolution that enlarges by its stride, built without values as <see cref="Linear"/> is.</summary>
internal sealed class ConvTranspose2d : nn.Module<Tensor, Tensor>, IScoringLayer
{
    private readonly LinearProduct _product = new();
    internal Parameter weight, bias;
    private readonly int _stride;

    public ConvTranspose2d(int inputs, int outputs, int kernelAndStride) : base(nameof(ConvTranspose2d))
    {
        (weight, bias) = (new Parameter(empty(inputs, outputs, kernelAndStride, kernelAndStride)), new Parameter(empty(outputs)));
        _stride = kernelAndStride;
        RegisterComponents();
    }

    public void MakeReadyToScore() => _product.MakeReady(weight);

    // No two windows overlap, so that each place is a linear layer by itself.
    public override Tensor forward(Tensor x) =>                                                     // [B, C, H, W]
        _product.Of(x.permute(0, 2, 3, 1), weight.permute(2, 3, 1, 0).flatten(0, 2), bias.repeat(_stride * _stride))
            .unflatten(3, _stride, _stride, -1)                                                     // [B, H, W, stride, stride, D]
            .transpose(2, 3).flatten(3, 4).flatten(1, 2)                                            // [B, stride H, stride W, D]
            .permute(0, 3, 1, 2);                                                                   // [B, D, stride H, stride W], channels innermost in memory
}
