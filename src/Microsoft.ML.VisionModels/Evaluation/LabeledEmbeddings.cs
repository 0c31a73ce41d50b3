using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Search;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>The rows of a view that have an embedding and a label.</summary>
/// <param name="Embeddings">Their embeddings.</param>
/// <param name="Labels">Their labels, by name.</param>
/// <param name="WithoutLabel">How many rows were left out for want of a label.</param>
/// <param name="WithoutEmbedding">How many of the others, because their embedding is NaN, infinite or all zeros.</param>
internal sealed record LabeledEmbeddings(IReadOnlyList<float[]> Embeddings, IReadOnlyList<string> Labels, long WithoutLabel, long WithoutEmbedding)
{
    public int Count => Labels.Count;

    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public static LabeledEmbeddings Read(IDataView view, string labelColumnName, string embeddingColumnName)
    {
        var label = LabelColumn.Bind(view.Schema, labelColumnName);
        var (embeddings, labels) = (new List<float[]>(), new List<string>());
        var (withoutLabel, withoutEmbedding) = (0L, 0L);
        foreach (var (_, embedding, name) in new EmbeddingRows(view, null, embeddingColumnName).Read(label.MakeReader, label.Column))
        {
            if (name is null)
                withoutLabel++;
            else if (!EmbeddingRows.HasDirection(embedding))
                withoutEmbedding++;
            else
            {
                embeddings.Add([.. embedding]);
                labels.Add(name);
            }
        }
        return new(embeddings, labels, withoutLabel, withoutEmbedding);
    }

    /// <summary>The names of the classes, in order.</summary>
    public string[] Classes() => [.. Labels.Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The rows of these classes, and the place of each one's class among them.</summary>
    public (LabeledEmbeddings Rows, int[] Places) Of(IReadOnlyList<string> classes)
    {
        var places = classes.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        int[] known = [.. Enumerable.Range(0, Count).Where(row => places.ContainsKey(Labels[row]))];
        return (this with { Embeddings = [.. known.Select(row => Embeddings[row])], Labels = [.. known.Select(row => Labels[row])] }, Array.ConvertAll(known, row => places[Labels[row]]));
    }

    /// <summary>The share of rows whose class is the one that the others vote for.</summary>
    /// <exception cref="InvalidOperationException">There are fewer than two rows.</exception>
    public double NeighborAccuracy()
    {
        if (Count < 2)
            throw new InvalidOperationException($"{Count} rows have a label and an embedding; two are needed to compare each with the others.");
        using var scope = NewDisposeScope();
        var classes = Classes();
        var (embeddings, right) = (ToTensor(), tensor(Array.ConvertAll(Of(classes).Places, place => (long)place)));
        return NearestNeighbors.Accuracy(NearestNeighbors.Vote(embeddings, embeddings, right, classes.Length, others: true).Votes, right);
    }

    /// <summary>The embeddings as a matrix, [N, D]; of more than <paramref name="most"/> so many, evenly taken.</summary>
    public Tensor ToTensor(int most = int.MaxValue)
    {
        var rows = Math.Min(Count, most);
        return tensor((float[])[.. Enumerable.Range(0, rows).SelectMany(i => Embeddings[(int)((long)i * Count / rows)])], rows, Embeddings[0].Length);
    }
}
