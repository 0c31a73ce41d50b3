using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>The horizontal pass: one row of RGB pixels to a row of another width.</summary>
/// <remarks>
/// With AVX2, four source pixels are weighted at once. Weights have 23 bits and a sign, but the fast multiplication takes 16: each is
/// split into high * 256 + low, both are summed on their own, and the exact sum is put together at the end.
/// </remarks>
internal sealed class RowResampler
{
    private const int Half = 1 << (ResizeCoefficients.FractionBits - 1);

    private readonly ResizeCoefficients _coefficients;

    // Weights of four pixels in the order of the shuffled pixels below: all new pixels' high parts and low parts by turns.
    private readonly Vector256<short>[] _weights = [];
    private readonly int _groups; // of four pixels, per new pixel
    private readonly int _reach;  // bytes of a row that whole groups read

    public RowResampler(ResizeCoefficients coefficients)
    {
        _coefficients = coefficients;
        if (!Avx2.IsSupported)
            return;

        _groups = (coefficients.Count.Max() + 3) / 4;
        _reach = 3 * (coefficients.First[^1] + 4 * _groups) + 4;
        _weights = new Vector256<short>[2 * _groups * coefficients.Length];
        Span<int> four = stackalloc int[4];
        for (var x = 0; x < coefficients.Length; x++)
        {
            var weights = coefficients.WeightsOf(x);
            for (var group = 0; group < _groups; group++)
            {
                four.Clear();
                weights[Math.Min(4 * group, weights.Length)..Math.Min(4 * group + 4, weights.Length)].CopyTo(four);
                var at = 2 * (x * _groups + group);
                _weights[at] = Spread(four[0] >> 8, four[1] >> 8, four[2] >> 8, four[3] >> 8);
                _weights[at + 1] = Spread(four[0] & 255, four[1] & 255, four[2] & 255, four[3] & 255);
            }
        }
    }

    /// <summary>Two rows at once, which share the weights.</summary>
    /// <param name="first">A row; what follows it in the image may come with it, which saves a copy.</param>
    /// <param name="second">Another row, or the same again.</param>
    /// <param name="firstTarget">The first new row.</param>
    /// <param name="secondTarget">The second new row.</param>
    public void Resample(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> firstTarget, Span<byte> secondTarget)
    {
        if (Avx2.IsSupported)
        {
            ResampleAvx2(Reaching(first), Reaching(second), firstTarget, secondTarget);
            return;
        }
        ResampleScalar(first, firstTarget);
        ResampleScalar(second, secondTarget);
    }

    /// <summary>The row, followed by as much as whole groups read beyond it.</summary>
    private ReadOnlySpan<byte> Reaching(ReadOnlySpan<byte> row)
    {
        if (row.Length >= _reach)
            return row;
        var padded = new byte[_reach];
        row.CopyTo(padded);
        return padded;
    }

    internal void ResampleScalar(ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (var x = 0; x < _coefficients.Length; x++)
        {
            var pixels = source[(3 * _coefficients.First[x])..];
            var (red, green, blue) = (Half, Half, Half);
            var at = 0;
            foreach (var weight in _coefficients.WeightsOf(x))
            {
                red += pixels[at] * weight;
                green += pixels[at + 1] * weight;
                blue += pixels[at + 2] * weight;
                at += 3;
            }
            target[3 * x] = ColumnResampler.ToByte(red);
            target[3 * x + 1] = ColumnResampler.ToByte(green);
            target[3 * x + 2] = ColumnResampler.ToByte(blue);
        }
    }

    private void ResampleAvx2(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> firstTarget, Span<byte> secondTarget)
    {
        ref var firstPixels = ref MemoryMarshal.GetReference(first);
        ref var secondPixels = ref MemoryMarshal.GetReference(second);
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        var starts = _coefficients.First;
        for (var x = 0; x < starts.Length; x++)
        {
            var (firstHigh, firstLow) = (Vector256<int>.Zero, Vector256<int>.Zero);
            var (secondHigh, secondLow) = (Vector256<int>.Zero, Vector256<int>.Zero);
            var at = (nuint)(3 * starts[x]);
            for (var group = _groups; group > 0; group--)
            {
                var (high, low) = (weights, Unsafe.Add(ref weights, 1));
                var four = LoadPairs(ref firstPixels, at);
                firstHigh += Avx2.MultiplyAddAdjacent(four, high);
                firstLow += Avx2.MultiplyAddAdjacent(four, low);
                four = LoadPairs(ref secondPixels, at);
                secondHigh += Avx2.MultiplyAddAdjacent(four, high);
                secondLow += Avx2.MultiplyAddAdjacent(four, low);
                at += 12;
                weights = ref Unsafe.Add(ref weights, 2);
            }
            var firstSums = (firstHigh << 8) + firstLow;
            var secondSums = (secondHigh << 8) + secondLow;

            // r g b - of the first row in the lower half, of the second row in the upper.
            var sums = Avx2.Permute2x128(firstSums, secondSums, 0x20) + Avx2.Permute2x128(firstSums, secondSums, 0x31);
            var rgb = (sums + Vector256.Create(Half)) >> ResizeCoefficients.FractionBits;
            var words = Avx2.PackSignedSaturate(rgb, rgb);
            var bytes = Avx2.PackUnsignedSaturate(words, words).AsUInt32();
            Store(bytes.ToScalar(), firstTarget, 3 * x);
            Store(bytes.GetElement(4), secondTarget, 3 * x);
        }
    }

    /// <summary>Four pixels as r0 r1 g0 g1 b0 b1 - - r2 r3 g2 g3 b2 b3 - -: neighbors are multiplied and summed in pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> LoadPairs(ref byte pixels, nuint at)
    {
        var pairs = Vector128.Create((byte)0, 3, 1, 4, 2, 5, 0x80, 0x80, 6, 9, 7, 10, 8, 11, 0x80, 0x80);
        return Avx2.ConvertToVector256Int16(Ssse3.Shuffle(Vector128.LoadUnsafe(ref pixels, at), pairs));
    }

    /// <summary>Three bytes. Four are written at once where there is room; the next pixel overwrites the last of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(uint rgb, Span<byte> row, int at)
    {
        if (at + 4 <= row.Length)
        {
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref MemoryMarshal.GetReference(row), at), rgb);
            return;
        }
        row[at] = (byte)rgb;
        row[at + 1] = (byte)(rgb >> 8);
        row[at + 2] = (byte)(rgb >> 16);
    }

    private static Vector256<short> Spread(int first, int second, int third, int fourth)
    {
        var (a, b, c, d) = ((short)first, (short)second, (short)third, (short)fourth);
        return Vector256.Create(a, b, a, b, a, b, 0, 0, c, d, c, d, c, d, 0, 0);
    }
}
