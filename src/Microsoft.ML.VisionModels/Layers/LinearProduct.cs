using System.Runtime.Intrinsics.X86;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// x W^T + b by the quicker of libtorch's two libraries. It multiplies float32 by oneMKL, which on AMD's processors takes its generic code;
/// oneDNN, which libtorch has for convolutions, is up to twice as fast there, the copies to and from its own tensors included.
/// </summary>
internal static class LinearProduct
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

    /// <param name="x">[..., inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs].</param>
    /// <returns>[..., outputs].</returns>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias)
    {
        var rows = s_oneMklIsGeneric && x.dtype == ScalarType.Float32 && x.device_type == DeviceType.CPU ? x.numel() / weight.shape[1] : 0;
        if (rows < FewestRows || rows * weight.numel() < FewestProducts)
            return nn.functional.linear(x, weight, bias);
        var bytesPerRow = sizeof(float) * Math.Max(weight.shape[0], weight.shape[1]);
        return is_grad_enabled() || rows * bytesPerRow <= LargestBuffer ? ByOneDnn(x, weight, bias) : InParts(x, weight, bias, Math.Max(1, BytesAtOnce / bytesPerRow));
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
