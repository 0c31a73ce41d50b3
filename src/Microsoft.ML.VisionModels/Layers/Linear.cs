using System.Runtime.Intrinsics.X86;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// y = x W^T + b. Unlike TorchSharp's layer it is built without values: a network is either loaded from a checkpoint
/// or drawn by <see cref="Initialization"/>, so that a first draw, which would be thrown away, is not paid for.
/// </summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>, IScoringLayer
{
    private readonly LinearProduct _product = new();
    internal Parameter weight;
    internal Parameter? bias;
    private LowRank? low_rank;

    public Linear(int inputs, int outputs, bool hasBias = true) : base(nameof(Linear))
    {
        weight = Parameters.Empty(outputs, inputs);
        bias = hasBias ? Parameters.Empty(outputs) : null;
        RegisterComponents();
    }

    /// <summary>What the layer learns beside its weights; null for nothing.</summary>
    public LowRank? LowRank => low_rank;

    public override Tensor forward(Tensor x)        // [..., inputs] -> [..., outputs]
    {
        var y = Product(x, weight, bias);
        return low_rank is null ? y : y.Add(low_rank.forward(x));
    }

    /// <summary>Lets the layer learn something beside its weights, which <see cref="forward"/> adds.</summary>
    public void Add(LowRank learned) => register_module(nameof(low_rank), low_rank = learned);

    /// <summary>Some of the outputs: <paramref name="count"/> of them from a first one on.</summary>
    public Tensor Part(Tensor x, long first, long count) => Product(x, weight.narrow(0, first, count), bias?.narrow(0, first, count));

    public void MakeReadyToScore() => _product.MakeReady(weight);

    private Tensor Product(Tensor x, Tensor weight, Tensor? bias) =>
        _product.Of(MixedPrecision.Operand(x), MixedPrecision.Operand(weight), MixedPrecision.OptionalOperand(bias));
}

/// <summary>Two-dimensional convolution that is built without values, as <see cref="Linear"/> is.</summary>
internal sealed class Conv2d : nn.Module<Tensor, Tensor>, IScoringLayer
{
    // oneDNN orders the weights anew at each call. Where they are many, and places few, that takes longer than the product.
    private const long ManyWeights = 1 << 22, FewPlaces = 128;

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
        weight = Parameters.Empty(outputs, inputs / groups, kernel.Height, kernel.Width);
        bias = hasBias ? Parameters.Empty(outputs) : null;
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
        : kernel.numel() >= ManyWeights && x.shape[0] * x.shape[2] * x.shape[3] <= FewPlaces * _stride[0] * _stride[1] && _groups == 1 && x.device_type == DeviceType.CPU && !is_grad_enabled()
        ? ByWindows(x, kernel, offset, _stride, _padding)
        : nn.functional.conv2d(x, kernel, offset, _stride, _padding, groups: _groups);

    /// <summary>The same as one product of the weights as they are and of copies of the windows.</summary>
    internal static Tensor ByWindows(Tensor x, Tensor kernel, Tensor? offset, long[] stride, long[] padding)
    {
        using var scope = NewDisposeScope();
        var (batch, rows, columns) = (x.shape[0], Places(0), Places(1));
        var windows = nn.functional.unfold(x, (kernel.shape[2], kernel.shape[3]), (1, 1), (padding[0], padding[1]), (stride[0], stride[1]));    // [B, C K K, H' W']
        var product = kernel.flatten(1).matmul(windows.transpose(0, 1).flatten(1));                                                              // [D, B H' W']
        if (offset is not null)
            product = product.Add(offset.unsqueeze(1));
        return product.view(-1, batch, rows, columns).transpose(0, 1).contiguous().MoveToOuterDisposeScope();                                    // [B, D, H', W']

        long Places(int side) => (x.shape[2 + side] + 2 * padding[side] - kernel.shape[2 + side]) / stride[side] + 1;
    }

    // oneDNN's bfloat16 convolution gives wrong numbers where the outputs are no multiple of 16 (libtorch 2.10 on AVX512-BF16).
    private bool IsWrongInBFloat16(Tensor input) =>
        input.dtype == ScalarType.BFloat16 && input.device_type == DeviceType.CPU && weight.shape[0] % 16 != 0 && !_pointwise;
}

/// <summary>Two-dimensional transposed convolution that enlarges by its stride, built without values as <see cref="Linear"/> is.</summary>
internal sealed class ConvTranspose2d : nn.Module<Tensor, Tensor>, IScoringLayer
{
    private readonly LinearProduct _product = new();
    internal Parameter weight, bias;
    private readonly int _stride;

    public ConvTranspose2d(int inputs, int outputs, int kernelAndStride) : base(nameof(ConvTranspose2d))
    {
        (weight, bias) = (Parameters.Empty(inputs, outputs, kernelAndStride, kernelAndStride), Parameters.Empty(outputs));
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

/// <summary>Cuts an image into patches and projects each to a token.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d proj;

    public PatchEmbedding(int channels, int width, ImageSize patch, bool hasBias = true) : base(nameof(PatchEmbedding))
    {
        proj = new(channels, width, patch, stride: patch, hasBias: hasBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels) =>
        proj.forward(pixels)            // [B, C, H, W] -> [B, D, H / P, W / P]
            .flatten(2)                 // [B, D, N], row by row
            .transpose(1, 2);           // [B, N, D]
}

/// <summary>
/// x W^T + b as one layer computes it. In training, and until the layer is made ready to score, that is libtorch's own product.
/// <see cref="MakeReady"/> is the one place where another is chosen: on AMD's processors libtorch multiplies float32 by oneMKL's generic
/// code, and oneDNN, which libtorch has for convolutions, is up to twice as fast, the copies to and from its own tensors included.
/// (Under gradients it is 9 to 15 % slower.)
/// </summary>
internal sealed class LinearProduct
{
    // For fewer the copies and the call cost more than they save: also of the weights, which are ordered anew each time.
    private const long FewestRows = 48, FewestProducts = 1 << 22, ManyWeights = 1 << 22, FewestRowsOfMany = 256;

    // Larger buffers come fresh from the system each time, page by page, which takes longer than the product.
    private const long LargestBuffer = 32 << 20, BytesAtOnce = 8 << 20;

    // TorchSharp has no binding for oneDNN's tensors; TorchScript reaches every operator.
    private static readonly Lazy<jit.CompilationUnit> s_script = new(() => jit.compile("""
        def linear(x, weight, bias):
          # type: (Tensor, Tensor, Optional[Tensor]) -> Tensor
          return torch.mkldnn_linear(x.to_mkldnn(), weight, bias).to_dense()

        """));

    private static readonly bool s_oneMklIsGeneric = X86Base.IsSupported && IsAmd();

    private bool _byOneDnn;

    /// <summary>Chooses who computes from here on. The weights are where they will stay, and of the type that they will keep.</summary>
    /// <param name="weight">The layer's weight.</param>
    public void MakeReady(Tensor weight) =>
        _byOneDnn = s_oneMklIsGeneric && weight.dtype == ScalarType.Float32 && weight.device_type == DeviceType.CPU;

    /// <param name="x">[..., inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs].</param>
    /// <returns>[..., outputs].</returns>
    public Tensor Of(Tensor x, Tensor weight, Tensor? bias)
    {
        var rows = _byOneDnn && x.dtype == ScalarType.Float32 && !is_grad_enabled() ? x.numel() / weight.shape[1] : 0;
        if (rows < (weight.numel() > ManyWeights ? FewestRowsOfMany : FewestRows) || rows * weight.numel() < FewestProducts)
            return nn.functional.linear(x, weight, bias);
        var bytesPerRow = sizeof(float) * Math.Max(weight.shape[0], weight.shape[1]);
        return rows * bytesPerRow <= LargestBuffer ? ByOneDnn(x, weight, bias) : InParts(x, weight, bias, Math.Max(1, BytesAtOnce / bytesPerRow));
    }

    /// <inheritdoc cref="Of"/>
    internal static Tensor ByOneDnn(Tensor x, Tensor weight, Tensor? bias) => (Tensor)s_script.Value.invoke("linear", x, weight, bias!)!;

    /// <summary>The same, <paramref name="rowsAtOnce"/> rows after the others, so that copies stay in the cache; without gradients.</summary>
    internal static Tensor InParts(Tensor x, Tensor weight, Tensor? bias, long rowsAtOnce)
    {
        using var scope = NewDisposeScope();
        var rows = x.reshape(-1, weight.shape[1]);
        var product = empty([rows.shape[0], weight.shape[0]]);
        for (long first = 0; first < rows.shape[0]; first += rowsAtOnce)
        {
            using var part = NewDisposeScope();
            var count = Math.Min(rowsAtOnce, rows.shape[0] - first);
            product.narrow(0, first, count).copy_(ByOneDnn(rows.narrow(0, first, count), weight, bias));
        }
        return product.view([.. x.shape[..^1], weight.shape[0]]).MoveToOuterDisposeScope();
    }

    private static bool IsAmd()
    {
        var (_, ebx, ecx, edx) = X86Base.CpuId(0, 0);
        return (ebx, edx, ecx) == (0x68747541, 0x69746E65, 0x444D4163);     // AuthenticAMD
    }
}

/// <summary>
/// Training in bfloat16 as PyTorch's autocast does it: weights, sums of residual branches and norms stay in 32 bits, the products
/// of <see cref="Linear"/> and <see cref="Conv2d"/>, and what follows them, are of 16. bfloat16 has the range of float32, so the
/// loss needs no scaling.
/// </summary>
internal static class MixedPrecision
{
    [ThreadStatic]
    private static bool s_active;

    /// <summary>Whether this thread's layers multiply in bfloat16.</summary>
    public static bool Active => s_active;

    /// <summary>Makes this thread's layers multiply in bfloat16 until it is disposed of.</summary>
    public static IDisposable Begin() => new Region();

    /// <summary>The tensor as a layer multiplies it.</summary>
    public static Tensor Operand(Tensor x) => s_active ? x.to(ScalarType.BFloat16) : x;

    /// <inheritdoc cref="Operand(Tensor)"/>
    public static Tensor? OptionalOperand(Tensor? x) => x is null ? null : Operand(x);

    private sealed class Region : IDisposable
    {
        private readonly bool _before = s_active;

        public Region() => s_active = true;

        public void Dispose() => s_active = _before;
    }
}
