using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

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
