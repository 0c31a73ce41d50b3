using System.Runtime.Intrinsics;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Search;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Milliseconds for each query of an exact search: one query, and many together, against a plain loop, and against how long
/// the vectors take to come from memory at all, which one query cannot beat.
/// </summary>
internal static class Search
{
    private const int Top = 10, Queries = 64;

    public static void Run(BenchArguments arguments, SideBySide sideBySide)
    {
        var (count, dimensions) = (arguments.Number("vectors", 1_000_000), arguments.Number("dimensions", 512));
        var random = new Random(1);
        var index = new EmbeddingIndex(dimensions);
        for (var i = 0; i < count; i++)
            index.Add($"images/{i}.jpg", RandomVector());
        var vectors = index.Ids.Select(index.GetVector).ToArray();
        var queries = Enumerable.Range(0, Queries).Select(_ => RandomVector()).ToArray();
        if (!index.Search(queries[0], Top).Select(hit => hit.Id).SequenceEqual(PlainLoop(vectors, queries[0]).Select(row => index.Ids[row])))
            throw new InvalidOperationException("The search and the plain loop find different vectors.");

        foreach (var threads in arguments.Threads)
        {
            index.MaxThreads = threads;
            var one = Contestant.Here("one query", () => index.Search(queries[0], Top));
            var many = new Contestant($"{Queries} queries together", times => Contestant.Measure(() => index.Search(queries, Top), times).Per(Queries));
            var loop = Contestant.Here("a plain loop on one thread", () => PlainLoop(vectors, queries[0]));
            var reading = Contestant.Here("reading the vectors", () => ReadAll(index.Rows, threads));

            var name = $"search ({count} x {dimensions})";
            sideBySide.Run(name, one, loop, threads, batch: 1);
            sideBySide.Run(name, one, reading, threads, batch: 1);
            sideBySide.Run(name, many, loop, threads, Queries);
            sideBySide.Run(name, many, reading, threads, Queries);
        }

        float[] RandomVector() => [.. Enumerable.Range(0, dimensions).Select(_ => (2 * random.NextSingle()) - 1)];
    }

    /// <summary>As one writes it first: a product at a time, and the best so far in a sorted list.</summary>
    private static IReadOnlyList<int> PlainLoop(float[][] vectors, float[] query)
    {
        var best = new List<(double Score, int Row)>(Top + 1);
        for (var row = 0; row < vectors.Length; row++)
        {
            var vector = vectors[row];
            var score = 0.0;
            for (var i = 0; i < vector.Length; i++)
                score += (double)vector[i] * query[i];
            if (best.Count == Top && score <= best[^1].Score)
                continue;
            best.Insert(best.TakeWhile(other => other.Score >= score).Count(), (score, row));
            if (best.Count > Top)
                best.RemoveAt(Top);
        }
        return [.. best.Select(each => each.Row)];
    }

    /// <summary>Does as little as can be done with every value: adds it up, in enough sums that memory alone is waited for.</summary>
    private static float ReadAll(RowStore rows, int threads)
    {
        var total = 0f;
        Parallel.For(0, rows.Blocks.Count, new ParallelOptions { MaxDegreeOfParallelism = threads }, () => 0f, (i, _, sum) => sum + Sum(rows.Blocks[i]), Include);
        return total;

        void Include(float sum)
        {
            lock (rows)
                total += sum;
        }
    }

    private static float Sum(RowBlock block)
    {
        Vector512<float> a = default, b = default, c = default, d = default;
        var (count, lanes) = ((nuint)(block.Count * block.Stride), (nuint)Vector512<float>.Count);
        ref var first = ref block.First(0);
        nuint i = 0;
        for (; i + (4 * lanes) <= count; i += 4 * lanes)
        {
            a += Vector512.LoadUnsafe(ref first, i);
            b += Vector512.LoadUnsafe(ref first, i + lanes);
            c += Vector512.LoadUnsafe(ref first, i + (2 * lanes));
            d += Vector512.LoadUnsafe(ref first, i + (3 * lanes));
        }
        for (; i < count; i += lanes)
            a += Vector512.LoadUnsafe(ref first, i);
        return Vector512.Sum(a + b + c + d);
    }
}
