using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using Microsoft.ML.VisionModels.Tests.Imaging;
using Microsoft.ML.VisionModels.Tests.Search;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

public class EmbeddingMapTests
{
    private readonly MLContext _context = new(seed: 1);

    [Theory]
    [InlineData(EmbeddingMapMethod.TSne, 1.0)]
    [InlineData(EmbeddingMapMethod.Pca, 0.8)]
    public void GroupsStaySeparated(EmbeddingMapMethod method, double least)
    {
        var map = _context.Vision().MapEmbedding(EmbeddedRow.View(_context, EmbeddedRow.Blobs(5, 30)), "Label", method: method);
        Assert.Equal(150, map.Points.Count);
        // The nearest other dot of nearly each is of the same group.
        Assert.InRange(map.Points.Average(point => map.Points.Where(other => other != point).MinBy(other => Distance(point, other))!.Label == point.Label ? 1.0 : 0), least, 1);
    }

    [Fact] // between the means of groups it is further than within them
    public void GroupsAreIslands()
    {
        var map = _context.Vision().MapEmbedding(EmbeddedRow.View(_context, EmbeddedRow.Blobs(4, 50)), "Label");
        var centers = map.Points.GroupBy(point => point.Label).ToDictionary(group => group.Key, group => new MapPoint("", "", group.Average(point => point.X), group.Average(point => point.Y)));
        var within = map.Points.Average(point => Distance(point, centers[point.Label]));
        var between = centers.Values.SelectMany(a => centers.Values.Where(b => b != a).Select(b => Distance(a, b))).Min();
        Assert.True(between > 3 * within, $"{between} between, {within} within");
    }

    [Fact]
    public void OneSeedGivesOneMap()
    {
        var rows = EmbeddedRow.View(_context, EmbeddedRow.Blobs(3, 20));
        var options = new EmbeddingMapOptions { Steps = 300 };
        Assert.Equal(new MLContext(seed: 2).Vision().MapEmbedding(rows, options).Points, new MLContext(seed: 2).Vision().MapEmbedding(rows, options).Points);
        Assert.NotEqual(new MLContext(seed: 2).Vision().MapEmbedding(rows, options).Points, new MLContext(seed: 3).Vision().MapEmbedding(rows, options).Points);
    }

    [Fact] // rows that are equal, or few, have places too
    public void EveryRowHasAPlace()
    {
        using var scope = NewDisposeScope();
        Assert.True(TSne.Map(ones(40, 8), 30, 300, seed: 1).isfinite().all().item<bool>());
        Assert.True(TSne.Map(eye(3), 30, 300, seed: 1).isfinite().all().item<bool>());
        Assert.True(TSne.Map(cat([zeros(30, 4), ones(1, 4).Add(1e3)]), 30, 300, seed: 1).isfinite().all().item<bool>());
        Assert.Equal([7, 2], PrincipalComponents.Of(rand(7, 1), 2).shape);
    }

    [Fact]
    public void ComponentsAreTheDirectionsOfMostVariance()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        var along = randn(100, 2, generator: generator) * tensor(new float[] { 5, 2 });
        var (turn, _) = linalg.qr(randn(6, 6, generator: generator));
        var found = PrincipalComponents.Of(cat([along, zeros(100, 4)], 1).matmul(turn), 2);
        var centered = along - along.mean([0], keepdim: true);
        TensorAssert.Close(found.matmul(found.t()), centered.matmul(centered.t()), 1e-3);     // but for the direction of the axes
        Assert.True(found.std(0)[0].item<float>() > found.std(0)[1].item<float>());
    }

    [Fact]
    public void ThePageHoldsImagesAndEscapesTexts()
    {
        using var folder = TestFolders.Temporary();
        var rows = EmbeddedRow.Blobs(2, 4);
        foreach (var row in rows)
            TestImages.Save(TestImages.Noise(200, 100), row.ImagePath = folder.File($"</script> {row.ImagePath} & <b>.png"));
        rows[7].ImagePath = folder.File("none.png");
        rows[0].Embedding[0] = float.NaN;
        rows[1].Label = "<i>a</i>";
        var map = _context.Vision().MapEmbedding(EmbeddedRow.View(_context, rows), "Label", "ImagePath", EmbeddingMapMethod.Pca);
        Assert.Equal([rows[0].ImagePath], map.LeftOut);
        Assert.Equal(6, map.Images.Count(image => image.StartsWith("data:image/jpeg;base64,", StringComparison.Ordinal)));
        map.SavePage(folder.File("map.html"), "Two <b>groups</b>");
        var page = File.ReadAllText(folder.File("map.html"));
        Assert.Equal(1, page.Split("</script>").Length - 1);
        Assert.DoesNotContain("<i>a", page);
        Assert.DoesNotContain("<b>", page);
        Assert.DoesNotContain("http", page);
        Assert.Equal(7, page.Split("<circle").Length - 1);
        Assert.Contains("&lt;i&gt;a&lt;/i&gt; <small>1</small>", page);

        map.SaveDrawing(folder.File("map.svg"), "Two groups", point => point.Label == "b" ? "x" : "y");
        var drawing = System.Xml.Linq.XDocument.Load(folder.File("map.svg"));
        Assert.Equal((7, 4), (drawing.Descendants().Count(element => element.Name.LocalName == "circle"), drawing.Descendants().Count(element => element.Attribute("class")?.Value == "dot g0")));
    }

    [Fact]
    public void ManyRowsAreTakenEvenly()
    {
        var map = _context.Vision().MapEmbedding(EmbeddedRow.View(_context, EmbeddedRow.Blobs(4, 25)), new EmbeddingMapOptions { MostRows = 20, Method = EmbeddingMapMethod.Pca, LabelColumnName = "Label" });
        Assert.Equal(["a 5", "b 5", "c 5", "d 5"], map.Points.CountBy(point => point.Label).Select(group => $"{group.Key} {group.Value}"));
    }

    [Fact]
    public void MistakesAreNamed()
    {
        var rows = EmbeddedRow.View(_context, EmbeddedRow.Blobs(1, 2));
        Assert.Contains("at least 3", Assert.Throws<InvalidOperationException>(() => _context.Vision().MapEmbedding(rows)).Message);
        Assert.Contains("no column 'Nope'", Assert.Throws<ArgumentException>(() => _context.Vision().MapEmbedding(rows, "Nope")).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => _context.Vision().MapEmbedding(rows, new EmbeddingMapOptions { Perplexity = 1 }));
        Assert.Throws<OperationCanceledException>(() => _context.Vision().MapEmbedding(
            EmbeddedRow.View(_context, EmbeddedRow.Blobs(2, 5)), new EmbeddingMapOptions { CancellationToken = new(canceled: true) }));
    }

    private static double Distance(MapPoint a, MapPoint b) => Math.Sqrt(Math.Pow(a.X - b.X, 2) + Math.Pow(a.Y - b.Y, 2));
}
