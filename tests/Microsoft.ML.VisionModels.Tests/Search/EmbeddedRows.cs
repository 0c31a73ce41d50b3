using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Tests.Search;

/// <summary>Rows with embeddings, as featurizers leave them.</summary>
internal sealed class EmbeddedRow
{
    public string ImagePath { get; set; } = "";
    public string Label { get; set; } = "";
    public float[] Embedding { get; set; } = [];

    public static IDataView View(MLContext context, params IReadOnlyList<EmbeddedRow> rows)
    {
        var schema = SchemaDefinition.Create(typeof(EmbeddedRow));
        schema[nameof(Embedding)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Embedding.Length);
        return context.Data.LoadFromEnumerable(rows, schema);
    }

    /// <summary>Vectors around the centers of as many classes, with ids "a0", "a1", ..., "b0", ...</summary>
    public static EmbeddedRow[] Blobs(int classes, int each, int dimensions = 16, double noise = 0.3, int seed = 1)
    {
        var random = new Random(seed);
        var centers = RandomVectors.Make(classes, dimensions, seed: 7);
        return [.. Enumerable.Range(0, classes * each).Select(i => new EmbeddedRow
        {
            ImagePath = $"{(char)('a' + i / each)}{i % each}",
            Label = $"{(char)('a' + i / each)}",
            Embedding = [.. centers[i / each].Select(value => value + (float)(noise * (2 * random.NextDouble() - 1)))],
        })];
    }
}
