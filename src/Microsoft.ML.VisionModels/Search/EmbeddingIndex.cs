using Microsoft.ML.VisionModels.Search;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Vectors with ids, such as the embeddings of images with their paths, and an exact search for the vectors with the highest cosine
/// similarity to a query. All vectors are in memory and take 4 bytes for each value: 2 GB for a million embeddings of 512 values.
/// </summary>
/// <remarks>
/// Searches and other reading methods may run on several threads at once, but not while vectors are added. A single search uses all
/// processors.
/// </remarks>
/// <example>
/// <code>
/// var index = EmbeddingIndex.FromRows(featurizer.Transform(images), out var unreadable);
/// index.Save("images.safetensors");
/// foreach (var (path, score) in index.Search(embedding, top: 5))
///     Console.WriteLine($"{score:F3} {path}");
/// </code>
/// </example>
public sealed class EmbeddingIndex
{
    internal const int MaxDimensions = 1 << 20;

    // As many queries as fit into a core's cache together with a block of rows.
    private const int QueriesPerBlock = 64;

    private readonly IdList _ids;
    private readonly RowStore _rows;

    /// <summary>Creates an empty index.</summary>
    /// <param name="dimensions">The length of every vector: 1 to 1,048,576.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not in that range.</exception>
    public EmbeddingIndex(int dimensions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimensions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions, MaxDimensions);
        (_ids, _rows) = (new(), new(dimensions));
    }

    private EmbeddingIndex((IdList Ids, RowStore Rows) content) => (_ids, _rows) = content;

    /// <summary>The length of every vector.</summary>
    public int Dimensions => _rows.Dimensions;

    /// <summary>The number of vectors.</summary>
    public int Count => _rows.Count;

    /// <summary>The ids, in the order in which they were added.</summary>
    public IReadOnlyList<string> Ids => _ids.All;

    /// <summary>The number of threads that a search may use.</summary>
    internal int MaxThreads { get; set; } = Environment.ProcessorCount;

    /// <summary>The vectors.</summary>
    internal RowStore Rows => _rows;

    /// <summary>Creates an index of the rows of a data view, which is read once.</summary>
    /// <param name="rows">The rows, such as the result of a featurizer's <c>Transform</c>.</param>
    /// <param name="leftOut">
    /// The ids of the rows that are not in the index because their embedding has missing values (NaN). With <c>SkipInvalidImages</c>, these are
    /// the images that could not be read.
    /// </param>
    /// <param name="idColumnName">The column of ids: text. Default "ImagePath".</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size. Default "Embedding".</param>
    /// <exception cref="ArgumentException">A column is missing or of another type; an id is empty or occurs twice; an embedding has infinite values or is all zeros.</exception>
    public static EmbeddingIndex FromRows(
        IDataView rows, out IReadOnlyList<string> leftOut, string idColumnName = "ImagePath", string embeddingColumnName = "Embedding")
    {
        ArgumentNullException.ThrowIfNull(rows);
        var embeddings = new EmbeddingRows(rows, idColumnName, embeddingColumnName);
        var index = new EmbeddingIndex(embeddings.Dimensions);
        leftOut = embeddings.AddTo(index);
        return index;
    }

    /// <summary>Reads an index that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or not an index.</exception>
    public static EmbeddingIndex Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(IndexReader.Read(path));
    }

    /// <summary>
    /// Writes the index as a safetensors file, under a temporary name until it is complete: <c>vectors</c> (float32 [<see cref="Count"/>, <see cref="Dimensions"/>]),
    /// <c>ids</c> (uint8, the UTF-8 of all ids) and <c>id_ends</c> (int64 [<see cref="Count"/>], where each id ends).
    /// </summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        IndexWriter.Write(path, Ids, _rows);
    }

    /// <summary>Adds a copy of a vector, scaled to the length 1, as only its direction matters.</summary>
    /// <param name="id">The id, which must not be empty or in the index already.</param>
    /// <param name="vector">The vector: <see cref="Dimensions"/> finite values that are not all 0.</param>
    /// <exception cref="ArgumentException">The id or the vector is invalid. The index is not changed.</exception>
    public void Add(string id, ReadOnlySpan<float> vector)
    {
        _ids.Check(id);
        _rows.AddUnit(vector, nameof(vector));
        _ids.Add(id);
    }

    /// <summary>Adds the rows of a data view, which is read once; see <see cref="FromRows"/>.</summary>
    /// <param name="rows">The rows, such as the result of a featurizer's <c>Transform</c> for new images.</param>
    /// <param name="idColumnName">The column of ids: text. Default "ImagePath".</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of <see cref="Dimensions"/>. Default "Embedding".</param>
    /// <returns>The ids of the rows that were left out because their embedding has missing values (NaN).</returns>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size; or a row cannot be added, in which case those before it were added.</exception>
    public IReadOnlyList<string> AddRows(IDataView rows, string idColumnName = "ImagePath", string embeddingColumnName = "Embedding")
    {
        ArgumentNullException.ThrowIfNull(rows);
        var embeddings = new EmbeddingRows(rows, idColumnName, embeddingColumnName);
        if (embeddings.Dimensions != Dimensions)
            throw new ArgumentException($"The column '{embeddingColumnName}' has vectors of {embeddings.Dimensions} values; the index has {Dimensions} dimensions.", nameof(rows));
        return embeddings.AddTo(this);
    }

    /// <summary>Whether the index has a vector with this id.</summary>
    public bool Contains(string id) => _ids.Find(id) is not null;

    /// <summary>A copy of the vector with an id, scaled to the length 1.</summary>
    /// <exception cref="KeyNotFoundException">There is no such id.</exception>
    public float[] GetVector(string id) => _ids.Find(id) is { } row ? _rows[row].ToArray() : throw new KeyNotFoundException($"The index has no id '{id}'.");

    /// <summary>Finds the vectors that are most similar to a query.</summary>
    /// <param name="query">The query: <see cref="Dimensions"/> finite values that are not all 0. It need not have the length 1.</param>
    /// <param name="top">How many hits to find; at least 1. Default 10.</param>
    /// <returns>The hits, the most similar first; equally similar ones are in the order in which they were added. Fewer where the index has no more.</returns>
    /// <exception cref="ArgumentException">The query or the number is invalid.</exception>
    public IReadOnlyList<SearchHit> Search(ReadOnlySpan<float> query, int top = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(top);
        var rows = new RowStore(Dimensions, rowsPerBlock: 1);
        rows.AddUnit(query, nameof(query));
        return Search(rows, top)[0];
    }

    /// <summary>Finds the vectors that are most similar to each of several queries. This is many times as fast as a search for each query.</summary>
    /// <param name="queries">The queries: <see cref="Dimensions"/> finite values each that are not all 0. The time for each query falls with their number, up to 64.</param>
    /// <param name="top">How many hits to find for each query; at least 1. Default 10.</param>
    /// <returns>The hits of each query, equal to those of a search for the query alone.</returns>
    /// <exception cref="ArgumentException">A query or the number is invalid.</exception>
    public IReadOnlyList<IReadOnlyList<SearchHit>> Search(IReadOnlyList<float[]> queries, int top = 10)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(top);
        if (queries.Count == 0)
            return [];
        var rows = new RowStore(Dimensions, Math.Min(queries.Count, QueriesPerBlock));
        for (var i = 0; i < queries.Count; i++)
            rows.AddUnit(queries[i], $"{nameof(queries)}[{i}]");
        return Search(rows, top);
    }

    /// <summary>Finds the vectors that are most similar to one in the index, which is not among the hits.</summary>
    /// <param name="id">The vector's id.</param>
    /// <param name="top">How many hits to find; at least 1. Default 10.</param>
    /// <returns>The hits, as <see cref="Search(ReadOnlySpan{float}, int)"/> orders them.</returns>
    /// <exception cref="KeyNotFoundException">There is no such id.</exception>
    /// <exception cref="ArgumentException">The number is invalid.</exception>
    public IReadOnlyList<SearchHit> SearchLike(string id, int top = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(top);
        // One more, as the vector itself is usually among them.
        return [.. Search(GetVector(id), top == int.MaxValue ? top : top + 1).Where(hit => hit.Id != id).Take(top)];
    }

    private IReadOnlyList<IReadOnlyList<SearchHit>> Search(RowStore queries, int top) =>
        [.. RowSearch.Run(_rows, queries, top, MaxThreads).Select(best => best.Take().Select(hit => new SearchHit(_ids[hit.Row], hit.Score)).ToArray())];
}

/// <summary>A vector that a search in an <see cref="EmbeddingIndex"/> found.</summary>
/// <param name="Id">The vector's id.</param>
/// <param name="Score">Its cosine similarity to the query: 1 for the same direction, 0 for a right angle, -1 for the opposite.</param>
public sealed record SearchHit(string Id, float Score);
