using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>
/// The dot products of rows with queries. The terms of each product are summed in the same order in all of the methods below, so that equal
/// rows have equal scores, and a query has the same scores alone and among others. libtorch's matrix product guarantees neither, and is not
/// faster.
/// </summary>
internal static class DotProducts
{
    // Without this, the first searches would run code that .NET has not optimized yet, which is many times as slow with vectors.
    private const MethodImplOptions Optimized = MethodImplOptions.AggressiveOptimization;

    /// <summary>
    /// The number of rows, and of queries, that are multiplied at a time, so that each value that is read is used for several products. It is
    /// limited by the registers for the sums: without 512-bit registers a sum takes two or four of them.
    /// </summary>
    public static int Tile => Vector512.IsHardwareAccelerated ? 4 : 2;

    /// <summary>Computes all products of two blocks.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="queries">The queries.</param>
    /// <param name="scores">[capacity of queries, capacity of rows]; entries beyond their counts are undefined.</param>
    [MethodImpl(Optimized)]
    public static void Compute(RowBlock rows, RowBlock queries, Span<float> scores)
    {
        var stride = (nuint)rows.Stride;
        if (queries.Count == 1)
        {
            // With one query, reading the rows from memory takes longer than multiplying them, so tiles would not help.
            for (var row = 0; row < rows.Count; row++)
                scores[row] = One(ref rows.First(row), ref queries.First(0), stride);
            return;
        }
        for (var row = 0; row < rows.Count; row += Tile)
        {
            for (var query = 0; query < queries.Count; query += Tile)
            {
                var target = scores[((query * rows.Capacity) + row)..];
                if (Vector512.IsHardwareAccelerated)
                    FourByFour(ref rows.First(row), ref queries.First(query), stride, target, rows.Capacity);
                else
                    TwoByTwo(ref rows.First(row), ref queries.First(query), stride, target, rows.Capacity);
            }
        }
    }

    [MethodImpl(Optimized)]
    internal static float One(ref float row, ref float query, nuint stride)
    {
        var sum = Vector512<float>.Zero;
        for (nuint i = 0; i < stride; i += (nuint)Vector512<float>.Count)
            sum = Vector512.MultiplyAddEstimate(Vector512.LoadUnsafe(ref row, i), Vector512.LoadUnsafe(ref query, i), sum);
        return Sum(sum);
    }

    [MethodImpl(Optimized)]
    internal static void TwoByTwo(ref float rows, ref float queries, nuint stride, Span<float> scores, int scoresStride)
    {
        ref var rows1 = ref Unsafe.Add(ref rows, stride);
        ref var queries1 = ref Unsafe.Add(ref queries, stride);
        Vector512<float> s00 = default, s01 = default, s10 = default, s11 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector512<float>.Count)
        {
            var r0 = Vector512.LoadUnsafe(ref rows, i);
            var r1 = Vector512.LoadUnsafe(ref rows1, i);
            var q = Vector512.LoadUnsafe(ref queries, i);
            s00 = Vector512.MultiplyAddEstimate(r0, q, s00);
            s01 = Vector512.MultiplyAddEstimate(r1, q, s01);
            q = Vector512.LoadUnsafe(ref queries1, i);
            s10 = Vector512.MultiplyAddEstimate(r0, q, s10);
            s11 = Vector512.MultiplyAddEstimate(r1, q, s11);
        }
        scores[0] = Sum(s00);
        scores[1] = Sum(s01);
        scores[scoresStride] = Sum(s10);
        scores[scoresStride + 1] = Sum(s11);
    }

    [MethodImpl(Optimized)]
    internal static void FourByFour(ref float rows, ref float queries, nuint stride, Span<float> scores, int scoresStride)
    {
        ref var rows1 = ref Unsafe.Add(ref rows, stride);
        ref var rows2 = ref Unsafe.Add(ref rows, 2 * stride);
        ref var rows3 = ref Unsafe.Add(ref rows, 3 * stride);
        ref var queries1 = ref Unsafe.Add(ref queries, stride);
        ref var queries2 = ref Unsafe.Add(ref queries, 2 * stride);
        ref var queries3 = ref Unsafe.Add(ref queries, 3 * stride);
        // The sums of query 0, 1, 2 and 3 with rows 0 to 3.
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        for (nuint i = 0; i < stride; i += (nuint)Vector512<float>.Count)
        {
            var r0 = Vector512.LoadUnsafe(ref rows, i);
            var r1 = Vector512.LoadUnsafe(ref rows1, i);
            var r2 = Vector512.LoadUnsafe(ref rows2, i);
            var r3 = Vector512.LoadUnsafe(ref rows3, i);
            Accumulate(Vector512.LoadUnsafe(ref queries, i), r0, r1, r2, r3, ref s00, ref s01, ref s02, ref s03);
            Accumulate(Vector512.LoadUnsafe(ref queries1, i), r0, r1, r2, r3, ref s10, ref s11, ref s12, ref s13);
            Accumulate(Vector512.LoadUnsafe(ref queries2, i), r0, r1, r2, r3, ref s20, ref s21, ref s22, ref s23);
            Accumulate(Vector512.LoadUnsafe(ref queries3, i), r0, r1, r2, r3, ref s30, ref s31, ref s32, ref s33);
        }
        Sums(s00, s01, s02, s03).CopyTo(scores);
        Sums(s10, s11, s12, s13).CopyTo(scores[scoresStride..]);
        Sums(s20, s21, s22, s23).CopyTo(scores[(2 * scoresStride)..]);
        Sums(s30, s31, s32, s33).CopyTo(scores[(3 * scoresStride)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate(
        Vector512<float> query, Vector512<float> r0, Vector512<float> r1, Vector512<float> r2, Vector512<float> r3,
        ref Vector512<float> s0, ref Vector512<float> s1, ref Vector512<float> s2, ref Vector512<float> s3)
    {
        s0 = Vector512.MultiplyAddEstimate(r0, query, s0);
        s1 = Vector512.MultiplyAddEstimate(r1, query, s1);
        s2 = Vector512.MultiplyAddEstimate(r2, query, s2);
        s3 = Vector512.MultiplyAddEstimate(r3, query, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sums(Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3) =>
        Vector128.Create(Sum(s0), Sum(s1), Sum(s2), Sum(s3));

    /// <summary>Adds the upper half of the vector to the lower half, twice, and then sums the rest. This takes a third of the instructions of Vector512.Sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Vector512<float> values)
    {
        var half = values.GetLower() + values.GetUpper();
        return Vector128.Sum(half.GetLower() + half.GetUpper());
    }
}
