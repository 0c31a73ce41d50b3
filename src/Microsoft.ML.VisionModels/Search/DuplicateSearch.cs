using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>Near-duplicates: rows whose embeddings are near and, where the images are compared, whose images are alike; grouped by what connects them.</summary>
internal static class DuplicateSearch
{
    public static Duplicates Run(IDataView view, DuplicateOptions options)
    {
        var images = options.ImageColumnName is { } name ? ImageColumn.Bind(view.Schema, name) : null;
        var vectors = UnitVectors.Read(view, options.IdColumnName, options.EmbeddingColumnName, least: 1, options.CancellationToken);
        var near = vectors.Neighbors(options.Neighbors, options.CancellationToken)
            .SelectMany((neighbors, row) => neighbors.Where(hit => hit.Cosine >= options.LeastCosine).Select(hit => new Pair(Math.Min(row, hit.Row), Math.Max(row, hit.Row), hit.Cosine)))
            .DistinctBy(pair => (pair.First, pair.Second))
            .OrderBy(pair => (pair.First, pair.Second)).ToList();
        if (images is not null)
            near = Compare(view, images, vectors, near, options);
        return new(Groups(vectors, near), vectors.Count, vectors.LeftOut);
    }

    /// <summary>The pairs whose images are alike. Images that cannot be read are like none.</summary>
    private static List<Pair> Compare(IDataView view, ImageColumn column, UnitVectors vectors, List<Pair> near, DuplicateOptions options)
    {
        int[] rows = [.. near.SelectMany(pair => (int[])[pair.First, pair.Second]).Distinct()];
        var read = RowImages.Read(view, column, Array.ConvertAll(rows, row => vectors.Places[row]), SmallImage.Of, options.CancellationToken);
        var small = rows.Zip(read).ToDictionary(pair => pair.First, pair => pair.Second);
        return [.. near.AsParallel().AsOrdered().WithCancellation(options.CancellationToken)
            .Where(pair => small[pair.First] is not null && small[pair.Second] is not null)
            .Select(pair => pair with { Likeness = small[pair.First]!.Likeness(small[pair.Second]!) })
            .Where(pair => pair.Likeness >= options.MinLikeness)];
    }

    private static DuplicateGroup[] Groups(UnitVectors vectors, List<Pair> pairs)
    {
        var parents = Enumerable.Range(0, vectors.Count).ToArray();     // union-find, the first row as root
        foreach (var pair in pairs)
        {
            var (a, b) = (Root(pair.First), Root(pair.Second));
            parents[Math.Max(a, b)] = Math.Min(a, b);
        }
        var connections = pairs.ToLookup(pair => Root(pair.First), pair => new DuplicatePair(vectors.Ids[pair.First], vectors.Ids[pair.Second], pair.Cosine, pair.Likeness));
        return [.. Enumerable.Range(0, vectors.Count).GroupBy(Root).Where(group => group.Count() > 1)
            .Select(group => new DuplicateGroup([.. group.Select(row => vectors.Ids[row])], [.. connections[group.Key]]))];

        int Root(int row)
        {
            while (parents[row] != row)
                row = parents[row] = parents[parents[row]];
            return row;
        }
    }

    /// <summary>Two rows, the earlier one first.</summary>
    private sealed record Pair(int First, int Second, double Cosine, double Likeness = double.NaN);
}
