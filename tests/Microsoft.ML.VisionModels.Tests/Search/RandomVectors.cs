namespace Microsoft.ML.VisionModels.Tests.Search;

/// <summary>Random vectors, and an index of them under the ids "0", "1", ...</summary>
internal static class RandomVectors
{
    public static float[][] Make(int count, int dimensions, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, dimensions).Select(_ => (float)((4 * random.NextDouble()) - 2)).ToArray())];
    }

    public static EmbeddingIndex Index(IReadOnlyList<float[]> vectors)
    {
        var index = new EmbeddingIndex(vectors[0].Length);
        for (var i = 0; i < vectors.Count; i++)
            index.Add($"{i}", vectors[i]);
        return index;
    }

    public static double Cosine(float[] a, float[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));

    private static double Dot(float[] a, float[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
