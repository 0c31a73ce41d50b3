using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Search;

namespace Microsoft.ML;

/// <summary>What embeddings tell of a folder of images: near-duplicates, outliers, clusters.</summary>
public static class SimilarityCatalog
{
    /// <summary>Finds groups of near-duplicates: rows whose embeddings are nearly the same.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="rows">Rows with embeddings, such as the result of a featurizer's <c>Transform</c>. They are read once.</param>
    /// <param name="minCosine">The least cosine of two embeddings that are of near-duplicates, -1 to 1.</param>
    /// <param name="idColumnName">The column of ids, text such as paths, which may occur more than once; null takes the rows' numbers, from 0.</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or an argument is out of its range.</exception>
    /// <exception cref="InvalidOperationException">No row has an embedding.</exception>
    public static Duplicates FindDuplicates(
        this VisionCatalog catalog, IDataView rows, double minCosine = 0.95, string? idColumnName = "ImagePath", string embeddingColumnName = "Embedding") =>
        catalog.FindDuplicates(rows, new DuplicateOptions { MinCosine = minCosine, IdColumnName = idColumnName, EmbeddingColumnName = embeddingColumnName });

    /// <summary>Finds groups of near-duplicates: rows whose embeddings are nearly the same and, with <see cref="DuplicateOptions.ImageColumnName"/>, whose images are.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="rows">Rows with embeddings. They are read once, and again for the images of those with near embeddings.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or an option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">No row has an embedding.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static Duplicates FindDuplicates(this VisionCatalog catalog, IDataView rows, DuplicateOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        using var notices = MLNet.LogNotices(MLNet.EnvironmentOf(catalog.Context.Transforms));
        return DuplicateSearch.Run(rows, options);
    }

    /// <summary>Tells how unusual each row is: by its mean distance to the nearest others.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="rows">Rows with embeddings, at least two. They are read once.</param>
    /// <param name="neighbors">How many of the nearest others count; at least 1. Groups of odd ones that are no larger are still odd.</param>
    /// <param name="idColumnName">The column of ids, text such as paths; null takes the rows' numbers, from 0.</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or an argument is out of its range.</exception>
    /// <exception cref="InvalidOperationException">Fewer than two rows have an embedding.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static Outliers FindOutliers(
        this VisionCatalog catalog, IDataView rows, int neighbors = 10, string? idColumnName = "ImagePath", string embeddingColumnName = "Embedding",
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbors, 1);
        var vectors = UnitVectors.Read(rows, idColumnName, embeddingColumnName, least: 2, cancellationToken);
        var scores = vectors.Neighbors(neighbors, cancellationToken).Zip(vectors.Ids, (near, id) => new OutlierScore(id, near.Average(hit => 1.0 - hit.Cosine)));
        return new([.. scores.OrderByDescending(row => row.Score)], vectors.LeftOut);
    }

    /// <summary>Groups the rows by their embeddings, made of length 1, with ML.NET's k-means.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="rows">Rows with embeddings. They are read once.</param>
    /// <param name="clusters">How many clusters, at least 2 and no more than rows; null takes the root of half the number of rows, from 2 to 50.</param>
    /// <param name="idColumnName">The column of ids, text such as paths; null takes the rows' numbers, from 0.</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or an argument is out of its range.</exception>
    /// <exception cref="InvalidOperationException">Fewer rows have an embedding than there are to be clusters.</exception>
    public static Clusters FindClusters(
        this VisionCatalog catalog, IDataView rows, int? clusters = null, string? idColumnName = "ImagePath", string embeddingColumnName = "Embedding")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        if (clusters is { } wanted)
            ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 2, nameof(clusters));
        var vectors = UnitVectors.Read(rows, idColumnName, embeddingColumnName, least: clusters ?? 2);
        return ClusterSearch.Run(catalog.Context, vectors, clusters ?? ClusterSearch.CountByRule(vectors.Count));
    }
}
