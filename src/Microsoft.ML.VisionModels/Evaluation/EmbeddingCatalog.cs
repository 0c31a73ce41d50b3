using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Search;
using static TorchSharp.torch;

namespace Microsoft.ML;

/// <summary>Evaluation of embeddings, and maps of them.</summary>
public static class EmbeddingCatalog
{
    private const int MostOfSpread = 2000;

    /// <summary>
    /// Measures how good an embedding is for telling classes apart that it need not have been trained on: by the labels of the nearest
    /// training rows (weighted kNN as DINO's, arXiv 1805.01978 and 2104.14294), and by a linear classifier on it (linear probe). Also tells
    /// how the embeddings are spread, which shows a collapse even without labels that are right.
    /// </summary>
    /// <remarks>
    /// The linear classifier is ML.NET's maximum entropy, on features of mean 0 and variance 1, with an L2 weight of 1 and without L1. Of the
    /// spread, which compares each row with each, at most 2,000 test rows are measured, evenly taken.
    /// </remarks>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="train">Rows with labels and embeddings, such as the result of a featurizer's <c>Transform</c>.</param>
    /// <param name="test">Other rows, which are judged.</param>
    /// <param name="labelColumnName">The column of the labels: a key, text, an integer or a Boolean. They are matched by name.</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size.</param>
    /// <param name="neighbors">How many of the nearest training rows vote; at least 1. Default 20.</param>
    /// <param name="temperature">Above 0; a vote weighs exp(cosine / temperature). Default 0.07.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, the two views have embeddings of different lengths, or an argument is out of its range.</exception>
    /// <exception cref="InvalidOperationException">No test row can be measured, or the training rows have fewer than two classes.</exception>
    public static EmbeddingMetrics EvaluateEmbedding(
        this VisionCatalog catalog, IDataView train, IDataView test, string labelColumnName = "Label", string embeddingColumnName = "Embedding",
        int neighbors = NearestNeighbors.UsualCount, double temperature = NearestNeighbors.UsualTemperature)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(test);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbors, 1);
        OptionChecks.Require(temperature, temperature > 0, "above 0");

        var known = LabeledEmbeddings.Read(train, labelColumnName, embeddingColumnName);
        var judged = LabeledEmbeddings.Read(test, labelColumnName, embeddingColumnName);
        var classes = known.Classes();
        if (classes.Length < 2)
            throw new InvalidOperationException($"The training rows with an embedding have {classes.Length} classes in the column '{labelColumnName}'; two are needed.");
        var (trainRows, testRows) = (known.Of(classes), judged.Of(classes));
        if (testRows.Rows.Count == 0)
            throw new InvalidOperationException($"No test row has an embedding, and in the column '{labelColumnName}' a class that the training rows have.");
        if (known.Embeddings[0].Length != judged.Embeddings[0].Length)
            throw new ArgumentException($"The column '{embeddingColumnName}' has vectors of {judged.Embeddings[0].Length} values in the test rows, and of {known.Embeddings[0].Length} in the training rows.", nameof(test));

        using var scope = NewDisposeScope();
        using var right = tensor(Array.ConvertAll(testRows.Places, place => (long)place));
        var (votes, _) = NearestNeighbors.Vote(
            testRows.Rows.ToTensor(), known.ToTensor(), tensor(Array.ConvertAll(trainRows.Places, place => (long)place)), classes.Length, neighbors, temperature);
        var spread = judged.Count > 1 ? EmbeddingSpread.Of(judged.ToTensor(MostOfSpread)) : null;
        return new()
        {
            TrainCount = known.Count,
            Count = testRows.Rows.Count,
            LeftOut = new(judged.WithoutLabel, judged.Count - testRows.Rows.Count, judged.WithoutEmbedding),
            KnnAccuracy = NearestNeighbors.Accuracy(votes, right),
            KnnTop5Accuracy = NearestNeighbors.Accuracy(votes, right, best: 5),
            LinearAccuracy = LinearProbe.Accuracy(catalog.Context, trainRows, testRows, classes.Length),
            Deviation = spread?.Deviation ?? double.NaN,
            Uniformity = spread?.Uniformity ?? double.NaN,
            EffectiveRank = spread?.EffectiveRank ?? double.NaN,
            IsCollapsed = spread?.IsCollapsed ?? false,
        };
    }

    /// <summary>
    /// Measures how far a set of images is from another by their embeddings, each set taken for a normal distribution: what generated images
    /// are judged by (arXiv 1706.08500; FID where the embedding is Inception's). 0 for sets that are alike.
    /// </summary>
    /// <remarks>
    /// It grows where there are fewer rows, so compare sets of the same size, and look also at the distance between two halves of the real images.
    /// </remarks>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="expected">Rows of real images, with embeddings; better many more than an embedding has values.</param>
    /// <param name="actual">Rows of other images, with embeddings of the same network.</param>
    /// <param name="embeddingColumnName">The column of embeddings: a vector of Single of known size.</param>
    /// <returns>The squared distance, at least 0.</returns>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the two views have embeddings of different lengths.</exception>
    /// <exception cref="InvalidOperationException">A view has fewer than two rows, or a row without an embedding.</exception>
    public static double FrechetDistance(this VisionCatalog catalog, IDataView expected, IDataView actual, string embeddingColumnName = "Embedding")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        using var scope = NewDisposeScope();
        var (first, second) = (Read(expected), Read(actual));
        if (first.shape[1] != second.shape[1])
            throw new ArgumentException($"The column '{embeddingColumnName}' has vectors of {second.shape[1]} values in one view, and of {first.shape[1]} in the other.", nameof(actual));
        return VisionModels.Evaluation.FrechetDistance.Between(first, second);

        Tensor Read(IDataView view)
        {
            var rows = new EmbeddingRows(view, null, embeddingColumnName);
            var values = new List<float>();
            foreach (var (id, embedding) in rows.Read())
            {
                if (!embedding.All(float.IsFinite))
                    throw new InvalidOperationException($"Row {id} has no embedding in the column '{embeddingColumnName}'; leave such rows out.");
                values.AddRange(embedding);
            }
            var count = values.Count / rows.Dimensions;
            return count >= 2 ? tensor(values.ToArray(), [count, rows.Dimensions]) : throw new InvalidOperationException($"A distribution needs two rows at least; a view has {count}.");
        }
    }

    /// <summary>Makes a map of images by their embeddings, which <see cref="EmbeddingMap.SavePage"/> writes as a page.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>; its context's seed is the map's.</param>
    /// <param name="rows">Rows with embeddings, at least three. They are read once, and again for labels and images.</param>
    /// <param name="labelColumnName">The column whose values color the dots: a key, text, an integer or a Boolean; null has them all alike.</param>
    /// <param name="imageColumnName">The column of images that the page shows: MLImage, text with file paths, or the bytes of files; null shows ids alone.</param>
    /// <param name="method">How places are found.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">Fewer than three rows have an embedding.</exception>
    public static EmbeddingMap MapEmbedding(
        this VisionCatalog catalog, IDataView rows, string? labelColumnName = null, string? imageColumnName = null, EmbeddingMapMethod method = EmbeddingMapMethod.TSne) =>
        catalog.MapEmbedding(rows, new EmbeddingMapOptions { LabelColumnName = labelColumnName, ImageColumnName = imageColumnName, Method = method });

    /// <summary>Makes a map of images by their embeddings, which <see cref="EmbeddingMap.SavePage"/> writes as a page.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>; its context's seed is the map's.</param>
    /// <param name="rows">Rows with embeddings, at least three. They are read once, and again for labels and images.</param>
    /// <param name="options">Everything that can be chosen.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or an option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">Fewer than three rows have an embedding.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static EmbeddingMap MapEmbedding(this VisionCatalog catalog, IDataView rows, EmbeddingMapOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var environment = MLNet.EnvironmentOf(catalog.Context.Transforms);
        using var notices = MLNet.LogNotices(environment);
        return EmbeddingMapper.Run(rows, options, MLNet.SeedOf(environment) ?? 0);
    }
}
