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

    public override Tensor forward(Tensor x)    // [B, C, H, W] -> [B, D, H', W']
    {
        var (input, kernel, offset) = (MixedPrecision.Operand(x), MixedPrecision.Operand(weight), MixedPrecision.OptionalOperand(bias));
        return IsWrongInBFloat16(input)
            ? Convolve(input.to(ScalarType.Float32), kernel.to(ScalarType.Float32), offset?.to(ScalarType.Float32)).to(ScalarType.BFloat16)
            : Convolve(input, kernel, offset);
    }

    private Tensor Convolve(Tensor x, Tensor kernel, Tensor? offset) => nn.functional.conv2d(x, kernel, offset, _stride, _padding);

    // oneDNN's bfloat16 convolution gives wrong numbers where the outputs are no multiple of 16 (libtorch 2.10 on AVX512-BF16).
    private bool IsWrongInBFloat16(Tensor input) =>
        input.dtype == ScalarType.BFloat16 && input.device_type == DeviceType.CPU && weight.shape[0] % 16 != 0;
}
