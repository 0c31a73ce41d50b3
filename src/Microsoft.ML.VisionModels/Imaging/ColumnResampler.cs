namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The vertical pass: one row of the result is the weighted sum of rows of the source.</summary>
internal static class ColumnResampler
{
    /// <param name="rows">As many rows as weights, one after the other, each as long as <paramref name="target"/>.</param>
    /// <param name="weights">In fixed point.</param>
    /// <param name="target">One row of bytes; which channel they are does not matter here.</param>
    public static void Resample(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> target) => ResampleScalar(rows, weights, target, 0);

    internal static void ResampleScalar(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> target, int from)
    {
        for (var x = from; x < target.Length; x++)
        {
            var sum = 1 << (ResizeCoefficients.FractionBits - 1);
            for (var i = 0; i < weights.Length; i++)
                sum += rows[i * target.Length + x] * weights[i];
            target[x] = ToByte(sum);
        }
    }

    /// <summary>A fixed-point sum, with its half already added, to a byte.</summary>
    internal static byte ToByte(int sum) => (byte)Math.Clamp(sum >> ResizeCoefficients.FractionBits, 0, 255);
}
