using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Two-dimensional transposed convolution that enlarges by its stride, built without values as <see cref="Linear"/> is.</summary>
internal sealed class ConvTranspose2d : nn.Module<Tensor, Tensor>
{
    internal Parameter weight, bias;
    private readonly long[] _stride;

    public ConvTranspose2d(int inputs, int outputs, int kernelAndStride) : base(nameof(ConvTranspose2d))
    {
        (weight, bias) = (new Parameter(empty(inputs, outputs, kernelAndStride, kernelAndStride)), new Parameter(empty(outputs)));
        _stride = [kernelAndStride, kernelAndStride];
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>     // [B, C, H, W] -> [B, D, stride H, stride W]
        nn.functional.conv_transpose2d(x, weight, bias, strides: _stride);
}
