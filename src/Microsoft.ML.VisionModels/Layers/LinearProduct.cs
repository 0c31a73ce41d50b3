using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// x W^T + b as one layer computes it. In training, and until the layer is made ready to score, that is libtorch's own product.
/// <see cref="MakeReady"/> is the one place where another is chosen: on AMD's processors libtorch multiplies float32 by oneMKL's generic
/// code, and oneDNN, which libtorch has for convolutions, is up to twice as fast, the copies to and from its own tensors included.
/// (Under gradients it is 9 to 15 % slower.)
/// </summary>
internal sealed class LinearProduct
{
    // For fewer the copies and the call cost more than they save.
    private const long FewestRows = 48, FewestProducts = 1 << 22;

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
        if (rows < FewestRows || rows * weight.numel() < FewestProducts)
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
