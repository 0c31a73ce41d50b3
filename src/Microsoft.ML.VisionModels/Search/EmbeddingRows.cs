using System.Numerics.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>A view's ids and embeddings.</summary>
internal sealed class EmbeddingRows(IDataView view, string idColumnName, string embeddingColumnName)
{
    private readonly DataViewSchema.Column _id = Columns.Find(view.Schema, idColumnName, "text", type => type is TextDataViewType);

    private readonly DataViewSchema.Column _embedding = Columns.Find(view.Schema, embeddingColumnName, "a vector of float of known size",
        type => type is VectorDataViewType { Size: > 0, ItemType: NumberDataViewType { RawType: var item } } && item == typeof(float));

    public int Dimensions => ((VectorDataViewType)_embedding.Type).Size;

    /// <summary>Adds the rows, and gives the ids of those whose embeddings are missing.</summary>
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
