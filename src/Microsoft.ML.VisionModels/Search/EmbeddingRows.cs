using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>The columns of a data view with embeddings and, where they have some, ids.</summary>
/// <param name="view">The rows.</param>
/// <param name="idColumnName">The column of ids; null for the rows' numbers, from 0.</param>
/// <param name="embeddingColumnName">The column of embeddings.</param>
internal sealed class EmbeddingRows(IDataView view, string? idColumnName, string embeddingColumnName)
{
    private readonly DataViewSchema.Column? _id = idColumnName is null ? null : TextColumn.Input(idColumnName).Find(view.Schema);

    private readonly DataViewSchema.Column _embedding = InputColumn.Vector(embeddingColumnName).Find(view.Schema);

    public int Dimensions => ((VectorDataViewType)_embedding.Type).Size;

    /// <summary>The rows, one after the other. Each has its embedding in the same array.</summary>
    public IEnumerable<(string Id, float[] Embedding)> Read() => Read<bool>(_ => () => false).Select(row => (row.Id, row.Embedding));

    /// <summary>The rows, one after the other, and what is read of another column. Each has its embedding in the same array.</summary>
    /// <param name="makeReader">Makes a function that reads the present row's value.</param>
    /// <param name="columns">The columns that it reads.</param>
    public IEnumerable<(string Id, float[] Embedding, T Value)> Read<T>(Func<DataViewRow, Func<T>> makeReader, params IEnumerable<DataViewSchema.Column> columns)
    {
        using var cursor = view.GetRowCursor([_embedding, .. _id is { } id ? [id] : Array.Empty<DataViewSchema.Column>(), .. columns]);
        var readId = _id is { } named ? TextColumn.MakeReader(cursor, named) : () => cursor.Position.ToString(CultureInfo.InvariantCulture);
        var readEmbedding = cursor.GetGetter<VBuffer<float>>(_embedding);
        var readValue = makeReader(cursor);
        VBuffer<float> buffer = default;
        var embedding = new float[Dimensions];
        while (cursor.MoveNext())
        {
            readEmbedding(ref buffer);
            buffer.CopyTo(embedding);
            yield return (readId(), embedding, readValue());
        }
    }

    /// <summary>Adds the rows to an index. Returns the ids of the rows that were left out because their embeddings have missing values.</summary>
    public List<string> AddTo(EmbeddingIndex index)
    {
        var leftOut = new List<string>();
        foreach (var (id, embedding) in Read())
        {
            if (TensorPrimitives.IsNaNAny<float>(embedding))
                leftOut.Add(id);
            else
                index.Add(id, embedding);
        }
        return leftOut;
    }

    /// <summary>Whether an embedding has a direction: its values are finite, and not all of them 0.</summary>
    public static bool HasDirection(ReadOnlySpan<float> embedding) => RowStore.SquaredLength(embedding) is > 0 and < double.PositiveInfinity;
}
