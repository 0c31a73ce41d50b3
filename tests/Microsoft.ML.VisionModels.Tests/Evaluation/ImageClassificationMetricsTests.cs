namespace Microsoft.ML.VisionModels.Tests.Evaluation;

public class ImageClassificationMetricsTests
{
    private static readonly string[] s_classes = ["ant", "bee", "cat"];

    private readonly MLContext _context = new(seed: 1);

    private ImageClassificationMetrics Evaluate(IDataView view) => _context.MulticlassClassification.EvaluateImageClassifier(view);

    [Fact]
    public void CountsByHand()
    {
        var metrics = Evaluate(ScoredData.View(_context, s_classes,
            ("ant", [0.8f, 0.1f, 0.1f]),        // right
            ("ant", [0.4f, 0.5f, 0.1f]),        // a bee
            ("bee", [0.2f, 0.7f, 0.1f]),        // right
            ("bee", [0.2f, 0.6f, 0.2f])));      // right; no cat occurs, and none is answered
        Assert.Equal(4, metrics.Count);
        Assert.Equal(0.75, metrics.Top1Accuracy);
        Assert.Equal(1, metrics.Top5Accuracy);      // three classes
        Assert.Equal(0.75, metrics.MacroAccuracy);  // (1/2 + 2/2) / 2
        Assert.Equal(-(Math.Log(0.8) + Math.Log(0.4) + Math.Log(0.7) + Math.Log(0.6)) / 4, metrics.LogLoss, 1e-6);
        Assert.Equal(new ClassMetrics("ant", 2, 1, 0.5, 2.0 / 3), metrics.Classes[0]);
        Assert.Equal(new ClassMetrics("bee", 2, 2.0 / 3, 1, 0.8), metrics.Classes[1]);
        Assert.Equal(new ClassMetrics("cat", 0, double.NaN, double.NaN, double.NaN), metrics.Classes[2]);
        Assert.Equal([(0, 0, 1), (0, 1, 1), (1, 1, 2)], metrics.ConfusionMatrix.Cells);
        Assert.Equal(0, metrics.ConfusionMatrix[2, 1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => metrics.ConfusionMatrix[0, 3]);
        Assert.Equal(0, metrics.LeftOut.Total);
        Assert.Contains("bee", metrics.ToString());
    }

    [Fact]
    public void OfEqualScoresTheFirstComesFirst()
    {
        string[] classes = ["0", "1", "2", "3", "4", "5", "6"];
        var equal = Enumerable.Repeat(1f / 7, 7).ToArray();
        var metrics = Evaluate(ScoredData.View(_context, classes, [.. classes.Select(label => (label, equal))]));
        Assert.Equal(1.0 / 7, metrics.Top1Accuracy, 1e-12);
        Assert.Equal(5.0 / 7, metrics.Top5Accuracy, 1e-12);
    }

    [Fact]
    public void RowsLeftOutAreCounted()
    {
        float[] sure = [0.9f, 0.1f, 0], unread = [float.NaN, float.NaN, float.NaN];
        var metrics = Evaluate(ScoredData.View(_context, s_classes, ("ant", sure), ("", sure), ("", unread), ("dog", sure), ("dog", unread), ("dog", sure), ("bee", unread)));
        Assert.Equal(1, metrics.Count);
        Assert.Equal(1, metrics.Top1Accuracy);
        Assert.Equal(new LeftOutRows(2, 3, 1), metrics.LeftOut);
        Assert.Equal(6, metrics.LeftOut.Total);
    }

    [Fact]
    public void OfNoRowsEveryMeasureIsNaN()
    {
        var metrics = Evaluate(ScoredData.View<string>(_context, s_classes));
        Assert.Equal(0, metrics.Count);
        Assert.All([metrics.Top1Accuracy, metrics.Top5Accuracy, metrics.MacroAccuracy, metrics.LogLoss, metrics.ExpectedCalibrationError], measure => Assert.True(double.IsNaN(measure)));
    }

    [Fact]
    public void CalibrationByHand()
    {
        // Ten answers given with 0.8, of which six are right; ten given with 1, all right. (10 |0.6 - 0.8| + 0) / 20.
        var rows = Enumerable.Range(0, 20).Select(i => i < 10 ? (i < 6 ? "ant" : "bee", [0.8f, 0.2f, 0]) : ("cat", new[] { 0, 0, 1f })).ToArray();
        var metrics = Evaluate(ScoredData.View(_context, s_classes, rows));
        Assert.Equal(0.1, metrics.ExpectedCalibrationError, 1e-6);
        Assert.Equal(15, metrics.Reliability.Count);
        var filled = metrics.Reliability.Where(bin => bin.Count > 0).ToArray();
        Assert.Equal([(11.0 / 15, 10), (14.0 / 15, 10)], filled.Select(bin => (bin.Low, bin.Count)));
        Assert.Equal([0.6, 1], filled.Select(bin => bin.Accuracy));
        Assert.Equal([0.8, 1], filled.Select(bin => Math.Round(bin.Confidence, 6)));
    }

    [Fact]
    public void ACalibratedClassifierHasALowError()
    {
        // Labels drawn with the probabilities that the classifier says.
        var random = new Random(3);
        var rows = Enumerable.Range(0, 20_000).Select(_ =>
        {
            var p = random.NextSingle();
            return (random.NextSingle() < p ? "ant" : "bee", new[] { p, 1 - p, 0 });
        }).ToArray();
        var metrics = Evaluate(ScoredData.View(_context, s_classes, rows));
        Assert.InRange(metrics.ExpectedCalibrationError, 0, 0.02);
        Assert.Equal(0, metrics.Reliability.Take(7).Sum(bin => bin.Count));  // the likelier of two is at least 0.5, in the eighth bin
    }

    [Fact]
    public void ScoresThatAreNoProbabilitiesHaveNoLossAndNoCalibration()
    {
        var metrics = Evaluate(ScoredData.View(_context, s_classes, ("ant", [0.2f, 0.5f, 0.3f]), ("ant", [3f, -1f, 0f])));
        Assert.Equal(0.5, metrics.Top1Accuracy);
        Assert.True(double.IsNaN(metrics.LogLoss) && double.IsNaN(metrics.ExpectedCalibrationError));
        Assert.Empty(metrics.Reliability);
    }

    [Fact]
    public void EqualsMLNetsOwnEvaluator()
    {
        var random = new Random(5);
        string[] classes = [.. Enumerable.Range(0, 9).Select(i => $"class {i}")];
        var rows = Enumerable.Range(0, 500).Select(_ =>
        {
            var score = classes.Select(_ => MathF.Exp(3 * random.NextSingle())).ToArray();
            return (classes[random.Next(8)], score.Select(value => value / score.Sum()).ToArray());     // the last class never occurs
        }).ToArray();
        var view = ScoredData.Keys(_context, ScoredData.Keys(_context, ScoredData.View(_context, classes, rows), "Label", classes), "PredictedLabel", classes);
        var expected = _context.MulticlassClassification.Evaluate(view, topKPredictionCount: 5);
        var metrics = Evaluate(view);
        Assert.Equal(expected.MicroAccuracy, metrics.Top1Accuracy, 1e-12);
        Assert.Equal(expected.MacroAccuracy, metrics.MacroAccuracy, 1e-12);
        Assert.Equal(expected.TopKAccuracy, metrics.Top5Accuracy, 1e-12);
        Assert.Equal(expected.LogLoss, metrics.LogLoss, 1e-9);
        for (var i = 0; i < classes.Length; i++)
        {
            Assert.Equal(expected.ConfusionMatrix.Counts[i], classes.Select((_, j) => (double)metrics.ConfusionMatrix[i, j]));
            Assert.Equal(expected.ConfusionMatrix.PerClassRecall[i], double.IsNaN(metrics.Classes[i].Recall) ? 0 : metrics.Classes[i].Recall, 1e-12);
            Assert.Equal(expected.ConfusionMatrix.PerClassPrecision[i], metrics.Classes[i].Precision, 1e-12);
        }
    }
}
