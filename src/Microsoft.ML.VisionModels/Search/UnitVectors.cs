namespace Microsoft.ML.VisionModels.Search;

/// <summary>The embeddings of a view's rows, each made of length 1, with their ids.</summary>
internal sealed class UnitVectors
{
    // As many queries as are kept with their neighbors in each thread.
    private const int QueriesTogether = 1024, QueriesPerBlock = 64;

    private UnitVectors(int dimensions) => Rows = new(dimensions);

    /// <summary>The vectors.</summary>
    public RowStore Rows { get; }

    /// <summary>Their ids, which may occur more than once.</summary>
    public List<string> Ids { get; } = [];

    /// <summary>The number in the view of each row that is here.</summary>
    public List<long> Places { get; } = [];

    /// <summary>The ids of the rows that are not here, as their embeddings have no direction: NaN, infinite or all zeros.</summary>
    public List<string> LeftOut { get; } = [];

    public int Count => Ids.Count;

    /// <param name="view">The rows, which are read once.</param>
    /// <param name="idColumnName">The column of ids; null for the rows' numbers, from 0.</param>
    /// <param name="embeddingColumnName">The column of embeddings.</param>
    /// <param name="least">The fewest rows with a direction that are of any use.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer rows with a direction.</exception>
    public static UnitVectors Read(IDataView view, string? idColumnName, string embeddingColumnName, int least, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(view);
        var embeddings = new EmbeddingRows(view, idColumnName, embeddingColumnName);
        var vectors = new UnitVectors(embeddings.Dimensions);
        var place = 0L;
        foreach (var (id, embedding) in embeddings.Read())
        {
            cancellation.ThrowIfCancellationRequested();
            if (EmbeddingRows.HasDirection(embedding))
            {
                vectors.Rows.AddUnit(embedding, embeddingColumnName);
                vectors.Ids.Add(id);
                vectors.Places.Add(place);
            }
            else
                vectors.LeftOut.Add(id);
            place++;
        }
        return vectors.Count >= least ? vectors : throw new InvalidOperationException(
            $"{vectors.Count} rows have an embedding in the column '{embeddingColumnName}', and {vectors.LeftOut.Count} have one that is NaN, infinite or all zeros; at least {least} with an embedding are needed.");
    }

    /// <summary>The nearest others of each row, by cosine, the nearest first; fewer where there are no more.</summary>
    public IReadOnlyList<(int Row, float Cosine)[]> Neighbors(int count, CancellationToken cancellation = default)
    {
        count = Math.Min(count, Count - 1);
        var neighbors = new List<(int, float)[]>(Count);
        foreach (var rows in Enumerable.Range(0, Count).Chunk(QueriesTogether))
        {
            cancellation.ThrowIfCancellationRequested();
            var queries = new RowStore(Rows.Dimensions, QueriesPerBlock);
            foreach (var row in rows)
                Rows[row].CopyTo(queries.Add());
            // One more, as the row itself is usually among them.
            var found = RowSearch.Run(Rows, queries, count + 1, Environment.ProcessorCount);
            neighbors.AddRange(rows.Zip(found, (row, best) => best.Take().Where(hit => hit.Row != row).Take(count).ToArray()));
        }
        return neighbors;
    }
}
