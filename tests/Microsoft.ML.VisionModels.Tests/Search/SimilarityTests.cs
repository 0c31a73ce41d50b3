using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Imaging;
using SkiaSharp;

namespace Microsoft.ML.VisionModels.Tests.Search;

public class SimilarityTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void NearRowsAreGroupedIfOnlyThroughOthers()
    {
        // b is near a and c, which are not near each other; d and e are the same; f is alone.
        var found = _context.Vision().FindDuplicates(View(("a", 0), ("d", 100), ("b", 10), ("f", 200), ("c", 20), ("e", 100)), minCosine: Math.Cos(11 * Math.PI / 180));
        Assert.Equal([["a", "b", "c"], ["d", "e"]], found.Groups.Select(group => group.Ids));
        Assert.Equal([("a", "b"), ("b", "c")], found.Groups[0].Pairs.Select(pair => (pair.First, pair.Second)));
        Assert.Equal(Math.Cos(10 * Math.PI / 180), found.Groups[0].Pairs[0].Cosine, 1e-5);
        Assert.Equal(1, found.Groups[1].Pairs[0].Cosine, 1e-5);
        Assert.True(double.IsNaN(found.Groups[1].Pairs[0].Likeness));
        Assert.Equal((6, 0), (found.Count, found.LeftOut.Count));
    }

    [Fact] // with one neighbor each, more than there are rows, and many more rows than one thread's share of queries
    public void AllCopiesAreFoundWhateverTheNumbers()
    {
        var vectors = RandomVectors.Make(1500, 24);
        EmbeddedRow[] rows = [.. Enumerable.Range(0, 3000).Select(i => new EmbeddedRow { ImagePath = $"{i}", Embedding = vectors[i % 1500] })];
        foreach (var neighbors in (int[])[1, 5000])
        {
            var found = _context.Vision().FindDuplicates(EmbeddedRow.View(_context, rows), new DuplicateOptions { Neighbors = neighbors, MinCosine = 0.9999 });
            Assert.Equal(Enumerable.Range(0, 1500).Select(i => new[] { $"{i}", $"{i + 1500}" }), found.Groups.Select(group => group.Ids));
        }
    }

    [Fact]
    public void ImagesThemselvesTellCopiesFromOthersOfTheirKind()
    {
        using var folder = TestFolders.Temporary();
        // Smooth noise, as photographs are: of the first a smaller copy, one of less quality, and one that is cut; the others are others. All have the same embedding.
        var (image, other) = (Smooth(1), Smooth(2));
        var files = new (string Name, byte[] File)[]
        {
            ("image.png", TestImages.Encode(image, SKEncodedImageFormat.Png)),
            ("other.png", TestImages.Encode(other, SKEncodedImageFormat.Png)),
            ("small.png", TestImages.Encode(PillowResize.Resize(image, 80, 60, ResizeFilter.Bilinear), SKEncodedImageFormat.Png)),
            ("compressed.jpg", TestImages.Encode(image, SKEncodedImageFormat.Jpeg, 30)),
            ("cut.png", TestImages.Encode(image.Window(10, 0, 190, 142), SKEncodedImageFormat.Png)),
            ("broken.png", [1, 2, 3]),
        };
        foreach (var (name, file) in files)
            File.WriteAllBytes(folder.File(name), file);
        var view = EmbeddedRow.View(_context, [.. files.Select(file => new EmbeddedRow { ImagePath = folder.File(file.Name), Embedding = [1, 2] })]);
        var found = _context.Vision().FindDuplicates(view, new DuplicateOptions { ImageColumnName = "ImagePath" });
        Assert.Equal([["image.png", "small.png", "compressed.jpg", "cut.png"]], found.Groups.Select(group => group.Ids.Select(path => Path.GetFileName(path)!)));
        Assert.All(found.Groups[0].Pairs, pair => Assert.InRange(pair.Likeness, 0.8, 1));
        Assert.Equal(6, Assert.Single(_context.Vision().FindDuplicates(view).Groups).Ids.Count);     // by the embeddings alone

        static RgbImage Smooth(int seed) => PillowResize.Resize(TestImages.Noise(9, 7, seed), 200, 150, ResizeFilter.Bicubic);
    }

    [Fact]
    public void RowsFarFromOthersAreOutliers()
    {
        var found = _context.Vision().FindOutliers(View(("a", 0), ("odd", 90), ("b", 1), ("c", 2)), neighbors: 2, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["odd", "a", "c", "b"], found.Rows.Select(row => row.Id));
        Assert.Equal(1 - (Math.Cos(88 * Math.PI / 180) + Math.Cos(89 * Math.PI / 180)) / 2, found.Rows[0].Score, 1e-5);
        Assert.Equal(1 - Math.Cos(Math.PI / 180), found.Rows[^1].Score, 1e-5);
    }

    [Fact]
    public void ClustersAreTheClasses()
    {
        var found = _context.Vision().FindClusters(EmbeddedRow.View(_context, [.. EmbeddedRow.Blobs(3, 20)[5..]]), clusters: 3);
        Assert.Equal(["a", "b", "c"], found.All.Select(cluster => Assert.Single(cluster.Rows.Select(row => row.Id[..1]).Distinct())).Order());
        Assert.Equal([20, 20, 15], found.All.Select(cluster => cluster.Rows.Count));
        Assert.All(found.All, cluster => Assert.Equal(cluster.Rows.Select(row => row.Distance).Order(), cluster.Rows.Select(row => row.Distance)));
    }

    [Fact]
    public void ClustersAreTheSameOfOneSeed()
    {
        var view = EmbeddedRow.View(_context, EmbeddedRow.Blobs(10, 20));
        var (first, second) = (new MLContext(seed: 3).Vision().FindClusters(view), new MLContext(seed: 3).Vision().FindClusters(view));
        Assert.Equal(first.All.SelectMany(cluster => cluster.Rows), second.All.SelectMany(cluster => cluster.Rows));
        Assert.InRange(first.All.Count, 2, 10);     // the root of half of 200
    }

    [Fact]
    public void RowsWithoutADirectionAreNamed()
    {
        var rows = EmbeddedRow.Blobs(2, 5);
        rows[1].Embedding[0] = float.NaN;           // as images that cannot be read have
        rows[2].Embedding[0] = float.PositiveInfinity;
        Array.Clear(rows[3].Embedding);
        var view = EmbeddedRow.View(_context, rows);
        string[] expected = ["a1", "a2", "a3"];
        Assert.Equal(expected, _context.Vision().FindDuplicates(view, minCosine: 0.5).LeftOut);
        Assert.Equal(expected, _context.Vision().FindOutliers(view, cancellationToken: TestContext.Current.CancellationToken).LeftOut);
        var clusters = _context.Vision().FindClusters(view);
        Assert.Equal(expected, clusters.LeftOut);
        Assert.Equal(7, clusters.All.Sum(cluster => cluster.Rows.Count));
    }

    [Fact]
    public void RowsWithoutIdsHaveNumbers()
    {
        var view = _context.Transforms.SelectColumns("Embedding").Fit(View(("", 0), ("", 90), ("", 0))).Transform(View(("", 0), ("", 90), ("", 0)));
        Assert.Equal(["0", "2"], Assert.Single(_context.Vision().FindDuplicates(view, idColumnName: null).Groups).Ids);
        Assert.Contains("no column 'ImagePath'", Assert.Throws<ArgumentException>(() => _context.Vision().FindDuplicates(view)).Message);
    }

    [Fact]
    public void MistakesAreNamed()
    {
        var vision = _context.Vision();
        var one = View(("a", 0));
        Assert.Empty(vision.FindDuplicates(one).Groups);
        Assert.Contains("1 rows have an embedding in the column 'Embedding', and 0 have one that is NaN", Assert.Throws<InvalidOperationException>(() => vision.FindOutliers(one, cancellationToken: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("at least 2", Assert.Throws<InvalidOperationException>(() => vision.FindClusters(one)).Message);
        Assert.Contains("at least 3", Assert.Throws<InvalidOperationException>(() => vision.FindClusters(View(("a", 0), ("b", 1)), clusters: 3)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => vision.FindClusters(one, clusters: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => vision.FindOutliers(one, neighbors: 0, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal("MinCosine", Assert.Throws<ArgumentOutOfRangeException>(() => vision.FindDuplicates(one, minCosine: 1.1)).ParamName);
        Assert.Contains("no column 'Nope'", Assert.Throws<ArgumentException>(() => vision.FindOutliers(one, embeddingColumnName: "Nope", cancellationToken: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("no column 'Nope'", Assert.Throws<ArgumentException>(() => vision.FindDuplicates(one, new DuplicateOptions { ImageColumnName = "Nope" })).Message);
        Assert.Throws<OperationCanceledException>(() => vision.FindDuplicates(one, new DuplicateOptions { CancellationToken = new(canceled: true) }));
    }

    /// <summary>Rows with vectors at these angles in degrees.</summary>
    private IDataView View(params (string Id, double Angle)[] rows) => EmbeddedRow.View(_context, [.. rows.Select(row => new EmbeddedRow
    {
        ImagePath = row.Id,
        Embedding = [(float)Math.Cos(row.Angle * Math.PI / 180), (float)Math.Sin(row.Angle * Math.PI / 180)],
    })]);
}
