using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Tests.Search;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

public class EvaluateEmbeddingTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void ClustersOfClassesAreToldApart()
    {
        var metrics = Evaluate(EmbeddedRow.Blobs(6, 20), EmbeddedRow.Blobs(6, 10, seed: 2));
        Assert.Equal((120, 60, 0), (metrics.TrainCount, metrics.Count, metrics.LeftOut.Total));
        Assert.Equal((1, 1, 1), (metrics.KnnAccuracy, metrics.KnnTop5Accuracy, metrics.LinearAccuracy));
        Assert.False(metrics.IsCollapsed);
        Assert.InRange(metrics.EffectiveRank, 2, 16);
        Assert.StartsWith("60 rows by 120: kNN accuracy 1.0000, top-5 1.0000, linear 1.0000", metrics.ToString());
    }

    [Fact] // two classes along one direction, which lengths of 1 would hide: kNN sees directions, the probe values
    public void TheProbeSeesWhatTheCosineDoesNot()
    {
        var random = new Random(1);
        EmbeddedRow[] rows = [.. Enumerable.Range(0, 200).Select(i => new EmbeddedRow { Label = i % 2 == 0 ? "short" : "long", Embedding = Scaled(i % 2 == 0 ? 1 : 3) })];
        var metrics = Evaluate(rows[..100], rows[100..]);
        Assert.InRange(metrics.LinearAccuracy, 0.95, 1);
        Assert.InRange(metrics.KnnAccuracy, 0.2, 0.8);

        float[] Scaled(double length)
        {
            var angle = 0.3 * random.NextDouble();
            return [(float)(length * Math.Cos(angle)), (float)(length * Math.Sin(angle)), (float)length];
        }
    }

    [Fact]
    public void WhatCannotBeMeasuredIsCounted()
    {
        var test = EmbeddedRow.Blobs(3, 4, seed: 2);
        test[0].Label = "";
        test[1].Label = "unheard of";
        test[2].Embedding[3] = float.NaN;
        Array.Clear(test[3].Embedding);
        var metrics = Evaluate(EmbeddedRow.Blobs(3, 10), test);
        Assert.Equal((8, new LeftOutRows(1, 1, 2)), (metrics.Count, metrics.LeftOut));
        Assert.Equal(1, metrics.KnnAccuracy);
    }

    [Fact]
    public void KeysWithOtherValuesAreMatchedByName()
    {
        var (train, test) = (EmbeddedRow.View(_context, EmbeddedRow.Blobs(3, 10)), EmbeddedRow.View(_context, [.. EmbeddedRow.Blobs(3, 10, seed: 2).Reverse()]));
        var metrics = _context.Vision().EvaluateEmbedding(Keys(train), Keys(test));
        Assert.Equal((1, 1), (metrics.KnnAccuracy, metrics.LinearAccuracy));

        IDataView Keys(IDataView view) => _context.Transforms.Conversion.MapValueToKey("Label").Fit(view).Transform(view);
    }

    [Fact]
    public void MistakesAreNamed()
    {
        var rows = EmbeddedRow.Blobs(3, 10);
        Assert.Contains("no column 'Nope'", Assert.Throws<ArgumentException>(() => _context.Vision().EvaluateEmbedding(View(rows), View(rows), embeddingColumnName: "Nope")).Message);
        Assert.Contains("two are needed", Assert.Throws<InvalidOperationException>(() => Evaluate(EmbeddedRow.Blobs(1, 10), rows)).Message);
        Assert.Contains("No test row", Assert.Throws<InvalidOperationException>(() => Evaluate(rows, [new() { Label = "other", Embedding = new float[16] }])).Message);
        Assert.Contains("vectors of 8 values in the test rows, and of 16", Assert.Throws<ArgumentException>(() => Evaluate(rows, EmbeddedRow.Blobs(3, 10, dimensions: 8))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => _context.Vision().EvaluateEmbedding(View(rows), View(rows), neighbors: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => _context.Vision().EvaluateEmbedding(View(rows), View(rows), temperature: 0));
    }

    [Fact]
    public void ASweepCanGoByNeighbors()
    {
        var metric = SweepMetric.Neighbors();
        Assert.True(metric.HigherIsBetter);
        Assert.Equal(1, metric.Measure(_context, View(EmbeddedRow.Blobs(4, 10))));
        EmbeddedRow[] twoByTwo = [.. EmbeddedRow.Blobs(4, 10)];
        for (var i = 0; i < 40; i++)
            twoByTwo[i].Label = i % 2 == 0 ? "even" : "odd";        // which the vectors know nothing of
        Assert.InRange(metric.Measure(_context, View(twoByTwo)), 0, 0.7);
        Assert.Contains("two are needed", Assert.Throws<InvalidOperationException>(() => metric.Measure(_context, View(twoByTwo[..1]))).Message);
    }

    private IDataView View(EmbeddedRow[] rows) => EmbeddedRow.View(_context, rows);

    private EmbeddingMetrics Evaluate(EmbeddedRow[] train, EmbeddedRow[] test) => _context.Vision().EvaluateEmbedding(View(train), View(test));
}
