using Microsoft.ML.VisionModels.Search;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Vectors under an id each, such as the embeddings of images under their paths, and an exact search for those that are closest
/// to a query by cosine similarity. All vectors are in memory: 4 bytes for each value, 2 GB for a million embeddings of 512.
/// </summary>
/// <remarks>
/// Searches, and everything else that only reads, may run on many threads at once; nothing may while vectors are added. A search
/// itself uses all processors.
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

    // As many as stay in a core's cache while the rows go by.
    private const int QueriesPerBlock = 64;

    private readonly IdList _ids;
    private readonly RowStore _rows;

    /// <summary>Makes an empty index.</summary>
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

    /// <summary>The threads that a search may use.</summary>
    internal int MaxThreads { get; set; } = Environment.ProcessorCount;

    /// <summary>The vectors, as they lie in memory.</summary>
    internal RowStore Rows => _rows;

    /// <summary>Makes an index of a view's rows, which are read once.</summary>
    /// <param name="rows">Such as what a featurizer's <c>Transform</c> gives.</param>
    /// <param name="leftOut">
    /// The ids of the rows that the index does not have because their embedding has missing values (NaN), as with <c>SkipInvalidImages</c> those of
    /// images have that could not be read.
    /// </param>
    /// <param name="idColumnName">The column of ids: text. Default "ImagePath".</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size. Default "Embedding".</param>
    /// <exception cref="ArgumentException">A column is missing or of another type; an id is empty or there twice; an embedding is infinite or all zeros.</exception>
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
    /// <exception cref="CheckpointException">The file is damaged, or no index.</exception>
    public static EmbeddingIndex Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(IndexReader.Read(path));
    }

    /// <summary>
    /// Writes the index as a safetensors file, under a temporary name first: <c>vectors</c> (float32 [<see cref="Count"/>, <see cref="Dimensions"/>]),
    /// <c>ids</c> (uint8, the UTF-8 of all ids) and <c>id_ends</c> (int64 [<see cref="Count"/>], where each id ends).
    /// </summary>
    /// <param name="path">The file, which is overwritten.</param>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        IndexWriter.Write(path, Ids, _rows);
    }

    /// <summary>Adds a vector. What is kept is its direction: it is scaled to the length 1.</summary>
    /// <param name="id">Any text that is not empty and not in the index.</param>
    /// <param name="vector"><see cref="Dimensions"/> finite values that are not all 0; they are copied.</param>
    /// <exception cref="ArgumentException">The id or the vector is not so; the index stays as it was.</exception>
    public void Add(string id, ReadOnlySpan<float> vector)
    {
        _ids.Check(id);
        _rows.AddUnit(vector, nameof(vector));
        _ids.Add(id);
    }

    /// <summary>Adds a view's rows, which are read once; see <see cref="FromRows"/>.</summary>
    /// <param name="rows">Such as what a featurizer's <c>Transform</c> gives for new images.</param>
    /// <param name="idColumnName">The column of ids: text. Default "ImagePath".</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of <see cref="Dimensions"/>. Default "Embedding".</param>
    /// <returns>The ids of the rows that were left out because their embedding has missing values (NaN).</returns>
    /// <exception cref="ArgumentException">A column is missing or of another type or size; or a row cannot be added, and those before it were.</exception>
    public IReadOnlyList<string> AddRows(IDataView rows, string idColumnName = "ImagePath", string embeddingColumnName = "Embedding")
    {
        ArgumentNullException.ThrowIfNull(rows);
        var embeddings = new EmbeddingRows(rows, idColumnName, embeddingColumnName);
        if (embeddings.Dimensions != Dimensions)
            throw new ArgumentException($"The column '{embeddingColumnName}' has vectors of {embeddings.Dimensions} values; the index has {Dimensions} dimensions.", nameof(rows));
        return embeddings.AddTo(this);
    }

    /// <summary>Whether there is a vector under this id.</summary>
    public bool Contains(string id) => _ids.Find(id) is not null;

    /// <summary>A copy of the vector under an id, scaled to the length 1; to search for what is like it, say.</summary>
    /// <exception cref="KeyNotFoundException">There is no such id.</exception>
    public float[] GetVector(string id) => _ids.Find(id) is { } row ? _rows[row].ToArray() : throw new KeyNotFoundException($"The index has no id '{id}'.");

    /// <summary>Finds the vectors that are closest to a query.</summary>
    /// <param name="query"><see cref="Dimensions"/> finite values that are not all 0, of any length.</param>
    /// <param name="top">How many hits are wanted; at least 1. Default 10.</param>
    /// <returns>The hits, the most similar first, and of equally similar ones the one that was added first; fewer than wanted where the index has no more.</returns>
    /// <exception cref="ArgumentException">The query or the number is not so.</exception>
    public IReadOnlyList<SearchHit> Search(ReadOnlySpan<float> query, int top = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(top);
        var rows = new RowStore(Dimensions, rowsPerBlock: 1);
        rows.AddUnit(query, nameof(query));
        return Search(rows, top)[0];
    }

    /// <summary>Finds the vectors that are closest to each of many queries, many times as fast as one query after the other, with the same hits.</summary>
    /// <param name="queries">Queries of <see cref="Dimensions"/> finite values that are not all 0. The more, the faster each, up to 64.</param>
    /// <param name="top">How many hits are wanted for each; at least 1. Default 10.</param>
    /// <returns>For each query its hits, as the search for it alone gives them.</returns>
    /// <exception cref="ArgumentException">A query or the number is not so.</exception>
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

    /// <summary>Finds what is most like a vector of the index; itself is none of the hits.</summary>
    /// <param name="id">The vector's id.</param>
    /// <param name="top">How many hits are wanted; at least 1. Default 10.</param>
    /// <returns>The hits, as <see cref="Search(ReadOnlySpan{float}, int)"/> orders them.</returns>
    /// <exception cref="KeyNotFoundException">There is no such id.</exception>
    /// <exception cref="ArgumentException">The number is not so.</exception>
    public IReadOnlyList<SearchHit> SearchLike(string id, int top = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(top);
        // One more, as a vector is among those that are most like it.
        return [.. Search(GetVector(id), top == int.MaxValue ? top : top + 1).Where(hit => hit.Id != id).Take(top)];
    }

    private IReadOnlyList<IReadOnlyList<SearchHit>> Search(RowStore queries, int top) =>
        [.. RowSearch.Run(_rows, queries, top, MaxThreads).Select(best => best.Take().Select(hit => new SearchHit(_ids[hit.Row], hit.Score)).ToArray())];
}
