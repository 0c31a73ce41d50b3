using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Resizing that equals Pillow's (<c>Image.resize</c> on 8-bit RGB) bit for bit. As in Pillow's Resample.c, a first pass changes the width of
/// every row, rounding to bytes, and a second pass changes the height. Each new pixel is a weighted sum of source pixels; the weights are in
/// <see cref="ResizeCoefficients"/>, the sums in <see cref="RowResampler"/> and <see cref="ColumnResampler"/>.
/// </summary>
internal static class PillowResize
{
    /// <summary>Multiplications per thread below which starting another thread costs more time than it saves.</summary>
    private const long WorkPerThread = 4_000_000;

    /// <param name="source">The image.</param>
    /// <param name="width">The width of the result.</param>
    /// <param name="height">The height of the result.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="box">The part of the image to resize; all of it by default.</param>
    /// <param name="maxThreads">How many threads a large image may take; 1 where several images are processed at the same time.</param>
    /// <param name="window">The part of the result to compute; all of it by default.</param>
    public static RgbImage Resize(
        RgbImage source, int width, int height, ResizeFilter filter, PixelBox? box = null, int maxThreads = int.MaxValue, PixelWindow? window = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var whole = new PixelBox(0, 0, source.Width, source.Height);
        var part = box ?? whole;
        if (!(part.Left >= 0 && part.Top >= 0 && part.Left < part.Right && part.Top < part.Bottom && part.Right <= source.Width && part.Bottom <= source.Height))
            throw new ArgumentOutOfRangeException(nameof(box), part, $"The box must lie within the image of {source.Width} x {source.Height}.");
        var wanted = window ?? new(0, 0, width, height);

        if (part == whole && width == source.Width && height == source.Height)
            return source.Window(wanted.Left, wanted.Top, wanted.Width, wanted.Height);
        if (filter == ResizeFilter.Nearest)
            return Nearest(source, width, height, part, wanted);
        return Resample(source, new(filter, source.Width, part.Left, part.Right, width), new(filter, source.Height, part.Top, part.Bottom, height), wanted, maxThreads);
    }

    private static RgbImage Resample(RgbImage source, ResizeAxis horizontal, ResizeAxis vertical, PixelWindow window, int maxThreads)
    {
        // Of a long thin image the weights, and the rows between the passes, may take many times the image's own memory.
        var memory = horizontal.WeightBytes(window.Width) + vertical.WeightBytes(window.Height) + 3L * window.Width * vertical.Reach(window.Height);
        if (memory > Limits.ResizeBytes && Math.Max(window.Width, window.Height) > 1)
        {
            var parts = new RgbImage(window.Width, window.Height);
            foreach (var half in window.Halves())
                parts.Paste(Resample(source, horizontal, vertical, half, maxThreads), half.Left - window.Left, half.Top - window.Top);
            return parts;
        }

        var columns = horizontal.Changes ? ResizeCoefficients.For(horizontal, window.Left, window.Width) : null;
        var rows = vertical.Changes ? ResizeCoefficients.For(vertical, window.Top, window.Height) : null;
        // The first pass resizes only the rows that the second one reads.
        var firstRow = rows is null ? window.Top : rows.First[0];
        var rowCount = rows is null ? window.Height : rows.First[^1] + rows.Count[^1] - firstRow;
        if (columns is null)
        {
            var cut = source.Window(window.Left, firstRow, window.Width, rowCount);
            if (rows is null)
                return cut;
            var stretched = RgbImage.Uninitialized(window.Width, window.Height);
            ResampleColumns(cut.Pixels, firstRow, rows, stretched, maxThreads);
            return stretched;
        }

        var result = RgbImage.Uninitialized(window.Width, window.Height);
        if (rows is null)
        {
            ResampleRows(source, firstRow, rowCount, columns, result.Pixels, maxThreads);
            return result;
        }
        var between = ArrayPool<byte>.Shared.Rent(3 * window.Width * rowCount);
        ResampleRows(source, firstRow, rowCount, columns, between, maxThreads);
        ResampleColumns(between, firstRow, rows, result, maxThreads);
        ArrayPool<byte>.Shared.Return(between);
        return result;
    }

    private static void ResampleRows(RgbImage source, int firstRow, int rowCount, ResizeCoefficients horizontal, byte[] target, int maxThreads)
    {
        var resampler = new RowResampler(horizontal);
        var stride = 3 * horizontal.Length;
        ForRows((rowCount + 1) / 2, 2L * stride * horizontal.Taps, maxThreads, pair =>
        {
            var (first, second) = (2 * pair, Math.Min(2 * pair + 1, rowCount - 1));
            resampler.Resample(From(first), From(second), To(first), To(second));
        });

        ReadOnlySpan<byte> From(int y) => source.Pixels.AsSpan(3 * source.Width * (firstRow + y));
        Span<byte> To(int y) => target.AsSpan(stride * y, stride);
    }

    private static void ResampleColumns(byte[] rows, int firstRow, ResizeCoefficients vertical, RgbImage target, int maxThreads)
    {
        var stride = 3 * target.Width;
        ForRows(target.Height, (long)stride * vertical.Taps, maxThreads,
            y => ColumnResampler.Resample(rows.AsSpan(stride * (vertical.First[y] - firstRow)), vertical.WeightsOf(y), target.Row(y)));
    }

    private static RgbImage Nearest(RgbImage source, int width, int height, PixelBox part, PixelWindow window)
    {
        var columns = NearestPositions(part.Left, part.Right, width, window.Left, window.Width);
        var rows = NearestPositions(part.Top, part.Bottom, height, window.Top, window.Height);
        var result = RgbImage.Uninitialized(window.Width, window.Height);
        for (var y = 0; y < window.Height; y++)
        {
            var from = source.Row(rows[y]);
            var to = result.Row(y);
            for (var x = 0; x < window.Width; x++)
                from.Slice(3 * columns[x], 3).CopyTo(to[(3 * x)..]);
        }
        return result;
    }

    /// <summary>The source position of the centers of some new pixels. Pillow adds the steps up one by one; this repeats its rounding.</summary>
    private static int[] NearestPositions(float from, float to, int length, int first, int count)
    {
        var positions = new int[count];
        var step = (double)(to - from) / length;
        var position = from + step * 0.5;
        for (var i = 0; i < first + count; i++, position += step)
        {
            if (i >= first)
                positions[i - first] = (int)position;
        }
        return positions;
    }

    private static void ForRows(int count, long workPerRow, int maxThreads, Action<int> row)
    {
        var threads = (int)Math.Min(Math.Min(maxThreads, Environment.ProcessorCount), count * workPerRow / WorkPerThread);
        if (threads > 1)
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, row);
            return;
        }
        for (var i = 0; i < count; i++)
            row(i);
    }
}

/// <summary>A part of an image, in pixels; edges may lie between pixels.</summary>
internal readonly record struct PixelBox(float Left, float Top, float Right, float Bottom);

/// <summary>A part of a resized image, in whole pixels; of a crop it may lie outside.</summary>
internal readonly record struct PixelWindow(int Left, int Top, int Width, int Height)
{
    /// <summary>The part that lies within another window.</summary>
    public PixelWindow Within(PixelWindow other)
    {
        var (left, top) = (Math.Max(Left, other.Left), Math.Max(Top, other.Top));
        return new(left, top, Math.Min(Left + Width, other.Left + other.Width) - left, Math.Min(Top + Height, other.Top + other.Height) - top);
    }

    /// <summary>Two halves, cut across the longer side.</summary>
    public PixelWindow[] Halves()
    {
        var (width, height) = (Width / 2, Height / 2);
        return Width > Height
            ? [this with { Width = width }, this with { Left = Left + width, Width = Width - width }]
            : [this with { Height = height }, this with { Top = Top + height, Height = Height - height }];
    }
}

/// <summary>One axis of a resize: the part from <paramref name="From"/> to <paramref name="To"/> of the source's pixels becomes new pixels.</summary>
internal readonly record struct ResizeAxis(ResizeFilter Filter, int SourceLength, float From, float To, int Length)
{
    // Beside each weight of 4 bytes, its part of the vectors in RowResampler.
    private const int BytesOfWeight = 20;

    public bool Changes => Length != SourceLength || From != 0 || To != Length;

    public double Scale => (double)(To - From) / Length; // Pillow takes the difference in single precision

    /// <summary>How far the filter reaches to each side, in source pixels. When shrinking, it is widened so that every source pixel counts.</summary>
    public double Support => ResizeCoefficients.KernelOf(Filter).Radius * Math.Max(Scale, 1);

    /// <summary>The most source pixels that a new pixel takes.</summary>
    public int Taps => (int)Math.Ceiling(Support) * 2 + 1;

    /// <summary>About the memory that the weights of some new pixels take.</summary>
    public long WeightBytes(int count) => Changes ? (long)BytesOfWeight * Taps * count : 0;

    /// <summary>About the source pixels that some new pixels next to each other take.</summary>
    public long Reach(int count) => Changes ? (long)Math.Min(SourceLength, count * Scale + 2 * Support + 1) : count;
}

/// <summary>
/// The weights of one axis of a resize: new pixel i is the weighted sum of <see cref="Taps"/> source pixels from
/// <see cref="First"/>[i] on. Weights sum to 1, in fixed point with <see cref="FractionBits"/> bits, as in Pillow's Resample.c.
/// </summary>
internal sealed class ResizeCoefficients
{
    /// <summary>A sum has 32 bits: 8 for the pixel, 2 for sums of weights beyond 1, and the other 22 for the fraction.</summary>
    public const int FractionBits = 22;

    private ResizeCoefficients(int length, int taps) =>
        (Taps, First, Count, Weights) = (taps, new int[length], new int[length], new int[length * taps]);

    /// <summary>The most source pixels that any new pixel takes; weights are stored at this stride.</summary>
    public int Taps { get; }

    public int[] First { get; }

    public int[] Count { get; }

    public int[] Weights { get; }

    public int Length => First.Length;

    public ReadOnlySpan<int> WeightsOf(int i) => Weights.AsSpan(i * Taps, Count[i]);

    /// <summary>The weights of some of an axis's new pixels.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="start">The first of the new pixels, which is number 0 in the result.</param>
    /// <param name="length">How many.</param>
    public static ResizeCoefficients For(ResizeAxis axis, int start, int length)
    {
        var kernel = KernelOf(axis.Filter).Kernel;
        var (scale, support, taps) = (axis.Scale, axis.Support, axis.Taps);
        var stretch = Math.Max(scale, 1);

        var coefficients = new ResizeCoefficients(length, taps);
        Span<double> weights = new double[taps];
        for (var i = 0; i < length; i++)
        {
            var center = axis.From + (start + i + 0.5) * scale;
            var first = Math.Max(0, (int)(center - support + 0.5));
            var count = Math.Min(axis.SourceLength, (int)(center + support + 0.5)) - first;
            var sum = 0.0;
            for (var tap = 0; tap < count; tap++)
            {
                weights[tap] = kernel((tap + first - center + 0.5) * (1 / stretch));
                sum += weights[tap];
            }
            coefficients.First[i] = first;
            coefficients.Count[i] = count;
            for (var tap = 0; tap < count; tap++)
                coefficients.Weights[i * taps + tap] = ToFixedPoint(sum == 0 ? weights[tap] : weights[tap] / sum);
        }
        return coefficients;
    }

    private static int ToFixedPoint(double weight) => (int)(weight * (1 << FractionBits) + (weight < 0 ? -0.5 : 0.5));

    /// <summary>The filter's kernel, and how far it reaches to each side.</summary>
    public static (Func<double, double> Kernel, double Radius) KernelOf(ResizeFilter filter) => filter switch
    {
        ResizeFilter.Box => (Box, 0.5),
        ResizeFilter.Bilinear => (Bilinear, 1),
        ResizeFilter.Hamming => (Hamming, 1),
        ResizeFilter.Bicubic => (Bicubic, 2),
        ResizeFilter.Lanczos => (Lanczos, 3),
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "This filter has no kernel."),
    };

    private static double Box(double x) => x is > -0.5 and <= 0.5 ? 1 : 0;

    private static double Bilinear(double x) => Math.Max(0, 1 - Math.Abs(x));

    private static double Hamming(double x) => Math.Abs(x) >= 1 ? 0 : Sinc(x) * (0.54f + 0.46f * Math.Cos(Math.PI * x));

    private static double Bicubic(double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return x switch
        {
            < 1 => ((a + 2) * x - (a + 3)) * x * x + 1,
            < 2 => (((x - 5) * x + 8) * x - 4) * a,
            _ => 0,
        };
    }

    private static double Lanczos(double x) => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0;

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}

/// <summary>The horizontal pass: one row of RGB pixels to a row of another width.</summary>
/// <remarks>
/// With AVX2, four source pixels are weighted at once. A weight has 23 bits and a sign, but the fast multiplication takes 16 bits: each
/// weight is split into high * 256 + low, the products of both parts are summed separately, and the two sums are added at the end.
/// </remarks>
internal sealed class RowResampler
{
    private const int Half = 1 << (ResizeCoefficients.FractionBits - 1);

    private readonly ResizeCoefficients _coefficients;

    // The weights of four pixels each, in the order in which LoadPairs shuffles the pixels: the high parts, then the low parts.
    private readonly Vector256<short>[] _weights = [];
    private readonly int _groups; // how many groups of four source pixels each new pixel takes
    private readonly int _reach;  // how many bytes of a row are read, as groups are read whole

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

    /// <summary>Resamples two rows at once, as both use the same weights.</summary>
    /// <param name="first">A row. The span may go on behind it, into the rest of the image, which saves a copy.</param>
    /// <param name="second">Another row, or the same again.</param>
    /// <param name="firstTarget">The first new row.</param>
    /// <param name="secondTarget">The second new row.</param>
    public void Resample(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> firstTarget, Span<byte> secondTarget)
    {
        if (Avx2.IsSupported)
        {
            ResampleAvx2(WithReach(first), WithReach(second), firstTarget, secondTarget);
            return;
        }
        ResampleScalar(first, firstTarget);
        ResampleScalar(second, secondTarget);
    }

    /// <summary>The row with at least as many bytes behind it as the last group of four reads beyond its end.</summary>
    private ReadOnlySpan<byte> WithReach(ReadOnlySpan<byte> row)
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

    /// <summary>Writes three bytes. Where there is room, four are written in one instruction; the next pixel overwrites the last of them.</summary>
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

/// <summary>The vertical pass: one row of the result is the weighted sum of rows of the source.</summary>
internal static class ColumnResampler
{
    private const int Half = 1 << (ResizeCoefficients.FractionBits - 1);

    /// <param name="rows">One row for each weight, stored one after the other, each as long as <paramref name="target"/>.</param>
    /// <param name="weights">In fixed point.</param>
    /// <param name="target">The new row. Channels need no care here: each byte is summed with the bytes above it.</param>
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
    /// <returns>How many bytes of the row were written; the rest is less than sixteen.</returns>
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

    /// <summary>Turns a fixed-point sum, to which <see cref="Half"/> was added for rounding, into a byte.</summary>
    internal static byte ToByte(int sum) => (byte)Math.Clamp(sum >> ResizeCoefficients.FractionBits, 0, 255);
}
