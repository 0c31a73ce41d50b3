using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The vertical pass: one row of the result is the weighted sum of rows of the source.</summary>
internal static class ColumnResampler
{
    private const int Half = 1 << (ResizeCoefficients.FractionBits - 1);

    /// <param name="rows">At least as many rows as weights, one after the other, each as long as <paramref name="target"/>.</param>
    /// <param name="weights">In fixed point.</param>
    /// <param name="target">One row of bytes; which channel they are does not matter here.</param>
    public static void Resample(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> target)
    {
        var done = Avx2.IsSupported ? ResampleAvx2(rows, weights, target) : 0;
        ResampleScalar(rows, weights, target, done);
    }

    internal static void ResampleScalar(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> target, int from)
    {
        for (var x = from; x < target.Length; x++)
        {
            var sum = Half;
            for (var i = 0; i < weights.Length; i++)
                sum += rows[i * target.Length + x] * weights[i];
            target[x] = ToByte(sum);
        }
    }

    /// <summary>Sixteen bytes at a time.</summary>
    /// <returns>How many bytes are done.</returns>
    private static int ResampleAvx2(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> target)
    {
        ref var source = ref MemoryMarshal.GetReference(rows[..(weights.Length * target.Length)]);
        ref var result = ref MemoryMarshal.GetReference(target);
        var x = 0;
        for (; x + 16 <= target.Length; x += 16)
        {
            var left = Vector256.Create(Half);
            var right = Vector256.Create(Half);
            var at = (nuint)x;
            foreach (var weight in weights)
            {
                var bytes = Vector128.LoadUnsafe(ref source, at);
                left += Avx2.ConvertToVector256Int32(bytes) * weight;
                right += Avx2.ConvertToVector256Int32(Vector128.Create(bytes.GetUpper(), bytes.GetUpper())) * weight;
                at += (nuint)target.Length;
            }
            left >>= ResizeCoefficients.FractionBits;
            right >>= ResizeCoefficients.FractionBits;
            var leftWords = Sse2.PackSignedSaturate(left.GetLower(), left.GetUpper());
            var rightWords = Sse2.PackSignedSaturate(right.GetLower(), right.GetUpper());
            Sse2.PackUnsignedSaturate(leftWords, rightWords).StoreUnsafe(ref result, (nuint)x);
        }
        return x;
    }

    /// <summary>A fixed-point sum, with its half already added, to a byte.</summary>
    internal static byte ToByte(int sum) => (byte)Math.Clamp(sum >> ResizeCoefficients.FractionBits, 0, 255);
}
