using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Two-dimensional convolution that is built without values, as <see cref="Linear"/> is.</summary>
internal sealed class Conv2d : nn.Module<Tensor, Tensor>
{
    internal Parameter weight;
    internal Parameter? bias;
    private readonly long[] _stride, _padding;

    public Conv2d(int inputs, int outputs, ImageSize kernel, ImageSize stride, ImageSize padding = default, bool hasBias = true) : base(nameof(Conv2d))
    {
        weight = new Parameter(empty(outputs, inputs, kernel.Height, kernel.Width));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        _stride = [stride.Height, stride.Width];
        _padding = [padding.Height, padding.Width];
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>
        nn.functional.conv2d(MixedPrecision.Operand(x), MixedPrecision.Operand(weight), MixedPrecision.OptionalOperand(bias), _stride, _padding);   // [B, C, H, W] -> [B, D, H', W']
}
