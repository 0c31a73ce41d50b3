using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>Clusters by ML.NET's k-means over vectors of length 1, of which the nearer two are, the larger is their cosine.</summary>
internal static class ClusterSearch
{
    public const int MostByRule = 50;

    private sealed class Row
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Answer
    {
        public uint PredictedLabel { get; set; }            // from 1
        public float[] Score { get; set; } = [];            // the squared distance to each center
    }

    /// <summary>The root of half the rows (Mardia et al., Multivariate Analysis, 1979), 2 to 50.</summary>
    public static int CountByRule(int rows) => Math.Clamp((int)Math.Round(Math.Sqrt(rows / 2.0)), 2, MostByRule);

    public static Clusters Run(MLContext context, UnitVectors vectors, int clusters)
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, vectors.Rows.Dimensions);
        var view = context.Data.LoadFromEnumerable(Enumerable.Range(0, vectors.Count).Select(row => new Row { Features = vectors.Rows[row].ToArray() }), schema);
        // One thread: with more the same seed gives other clusters.
        var model = context.Clustering.Trainers.KMeans(new KMeansTrainer.Options { NumberOfClusters = clusters, NumberOfThreads = 1 }).Fit(view);
        var answers = context.Data.CreateEnumerable<Answer>(model.Transform(view), reuseRowObject: false)
            .Zip(vectors.Ids, (answer, id) => (Cluster: answer.PredictedLabel, Row: new ClusteredRow(id, Math.Sqrt(Math.Max(0, answer.Score[answer.PredictedLabel - 1])))));
        return new(
            [.. answers.GroupBy(answer => answer.Cluster, answer => answer.Row).OrderByDescending(group => group.Count()).ThenBy(group => group.Key)
                .Select(group => new Cluster([.. group.OrderBy(row => row.Distance)]))],
            vectors.LeftOut);
    }
}
