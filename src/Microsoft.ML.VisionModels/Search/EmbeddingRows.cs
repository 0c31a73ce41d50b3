using System.Numerics.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>The columns of a data view with ids and embeddings.</summary>
internal sealed class EmbeddingRows(IDataView view, string idColumnName, string embeddingColumnName)
{
    private readonly DataViewSchema.Column _id = TextColumn.Input(idColumnName).Find(view.Schema);

    private readonly DataViewSchema.Column _embedding = InputColumn.Vector(embeddingColumnName).Find(view.Schema);

    public int Dimensions => ((VectorDataViewType)_embedding.Type).Size;

    /// <summary>Adds the rows to an index. Returns the ids of the rows that were left out because their embeddings have missing values.</summary>
    public List<string> AddTo(EmbeddingIndex index)
    {
        using var cursor = view.GetRowCursor([_id, _embedding]);
        var readId = cursor.GetGetter<ReadOnlyMemory<char>>(_id);
        var readEmbedding = cursor.GetGetter<VBuffer<float>>(_embedding);
        ReadOnlyMemory<char> id = default;
        VBuffer<float> buffer = default;
        var embedding = new float[Dimensions];
        var leftOut = new List<string>();
        while (cursor.MoveNext())
        {
            readId(ref id);
            readEmbedding(ref buffer);
            buffer.CopyTo(embedding);
            if (TensorPrimitives.IsNaNAny<float>(embedding))
                leftOut.Add(id.ToString());
            else
                index.Add(id.ToString(), embedding);
        }
        return leftOut;
    }
}
