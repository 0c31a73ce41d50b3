using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Two-dimensional convolution that is built without values, as <see cref="Linear"/> is.</summary>
internal sealed class Conv2d : nn.Module<Tensor, Tensor>, IScoringLayer
{
    private readonly LinearProduct _product = new();
    internal Parameter weight;
    internal Parameter? bias;
    private readonly long[] _stride, _padding;
    private readonly int _groups;
    private readonly bool _pointwise;

    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="kernel">The size of the window that an output sees.</param>
    /// <param name="stride">From one window to the next.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="hasBias">Whether each output has a bias.</param>
    /// <param name="groups">Into how many parts channels fall that do not see each other; as many as there are channels for a depthwise convolution.</param>
    public Conv2d(int inputs, int outputs, ImageSize kernel, ImageSize stride, ImageSize padding = default, bool hasBias = true, int groups = 1) : base(nameof(Conv2d))
    {
        weight = new Parameter(empty(outputs, inputs / groups, kernel.Height, kernel.Width));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        _stride = [stride.Height, stride.Width];
        _padding = [padding.Height, padding.Width];
        _groups = groups;
        _pointwise = kernel == 1 && stride == 1 && padding == 0 && groups == 1;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)    // [B, C, H, W] -> [B, D, H', W']
    {
        var (input, kernel, offset) = (MixedPrecision.Operand(x), MixedPrecision.Operand(weight), MixedPrecision.OptionalOperand(bias));
        return IsWrongInBFloat16(input)
            ? Convolve(input.to(ScalarType.Float32), kernel.to(ScalarType.Float32), offset?.to(ScalarType.Float32)).to(ScalarType.BFloat16)
            : Convolve(input, kernel, offset);
    }

    public void MakeReadyToScore() => _product.MakeReady(weight);

    // A convolution of one place is a linear layer. oneDNN's own gives wrong numbers, in 32 bits too, for some sizes where channels are
    // innermost in memory (libtorch 2.10 on AMD EPYC: 160 to 320 channels of 32 x 32 or 64 x 64).
    private Tensor Convolve(Tensor x, Tensor kernel, Tensor? offset) => _pointwise
        ? _product.Of(x.permute(0, 2, 3, 1), kernel.flatten(1), offset).permute(0, 3, 1, 2)
        : nn.functional.conv2d(x, kernel, offset, _stride, _padding, groups: _groups);

    // oneDNN's bfloat16 convolution gives wrong numbers where the outputs are no multiple of 16 (libtorch 2.10 on AVX512-BF16).
    private bool IsWrongInBFloat16(Tensor input) =>
        input.dtype == ScalarType.BFloat16 && input.device_type == DeviceType.CPU && weight.shape[0] % 16 != 0 && !_pointwise;
}
