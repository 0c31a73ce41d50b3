using System.Text.Json.Nodes;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

/// <summary>Which columns can be evaluated, and what is said of those that cannot.</summary>
public class EvaluatedColumnsTests
{
    private readonly MLContext _context = new(seed: 1);

    private ImageClassificationMetrics Evaluate(IDataView view) => _context.MulticlassClassification.EvaluateImageClassifier(view);

    [Fact]
    public void KeysInAnotherOrderAreMatchedByName()
    {
        var view = ScoredData.View(_context, ["ant", "bee", "cat"], ("ant", [1, 0, 0]), ("cat", [0, 0, 1]), ("bee", [1, 0, 0]), ("dog", [1f, 0, 0]));
        var metrics = Evaluate(ScoredData.Keys(_context, view, "Label", "dog", "cat", "bee", "ant"));
        Assert.Equal((3, 2.0 / 3), (metrics.Count, metrics.Top1Accuracy));
        Assert.Equal([(0, 0, 1), (1, 0, 1), (2, 2, 1)], metrics.ConfusionMatrix.Cells);
        Assert.Equal(1, metrics.LeftOut.UnknownLabel);
        Assert.Equal(1, Evaluate(ScoredData.Keys(_context, view, "Label", "ant", "cat", "bee")).LeftOut.NoLabel);   // "dog" becomes no key
    }

    [Fact]
    public void NumbersAndBooleansAreLabelsToo()
    {
        AssertEvaluates<sbyte>(-3, 12);
        AssertEvaluates<byte>(0, 255);
        AssertEvaluates<short>(-3, 12);
        AssertEvaluates<ushort>(0, 7);
        AssertEvaluates(-3, 12);
        AssertEvaluates(0u, 7u);
        AssertEvaluates(long.MinValue, long.MaxValue);
        AssertEvaluates(0ul, ulong.MaxValue);
        AssertEvaluates(true, false);
    }

    private void AssertEvaluates<T>(T one, T two)
    {
        string[] classes = [.. new[] { two, one }.Select(label => FormattableString.Invariant($"{label}"))];
        var metrics = Evaluate(ScoredData.View(_context, classes, (one, [0.1f, 0.9f]), (two, [0.8f, 0.2f]), (two, [0.3f, 0.7f])));
        Assert.Equal((3, 2.0 / 3), (metrics.Count, metrics.Top1Accuracy));
        Assert.Equal([1, 0.5], metrics.Classes.Reverse().Select(each => each.Recall));
    }

    [Fact]
    public void EveryLabelThatTrainsEvaluates()
    {
        AssertTrains("red", "green", "blue");
        AssertTrains(30, -5, 7);
        AssertTrains(true, false);
    }

    private void AssertTrains<T>(params T[] labels)
    {
        var data = ContractData.Labeled(_context, labels);
        foreach (var input in (IDataView[])[data, _context.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data)])
        {
            using var model = _context.Transforms.ViTClassifier(new ViTClassifierOptions { ImageSize = 16, PatchSize = 8, Epochs = 1 }).Fit(input);
            var scored = model.Transform(input);
            var expected = Evaluate(scored);
            Assert.Equal(8 * labels.Length, expected.Count);
            Assert.Equal(model.Labels, expected.ConfusionMatrix.Labels);
            var back = _context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(scored).Transform(scored);
            Assert.Equal(expected.ConfusionMatrix.Cells, Evaluate(back).ConfusionMatrix.Cells);
        }
    }

    [Fact]
    public void MLNetsOwnTrainersCanBeEvaluated()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 60).Select(i => new Numbered { Label = 10 * (i % 3), Features = [i % 3 + random.NextSingle(), random.NextSingle()] }).ToList();
        var data = _context.Data.LoadFromEnumerable(rows);
        var scored = _context.Transforms.Conversion.MapValueToKey("Label")
            .Append(_context.MulticlassClassification.Trainers.SdcaMaximumEntropy()).Fit(data).Transform(data);
        var (expected, metrics) = (_context.MulticlassClassification.Evaluate(scored), Evaluate(scored));
        Assert.Equal(expected.MicroAccuracy, metrics.Top1Accuracy, 1e-12);
        Assert.Equal(["0", "10", "20"], metrics.ConfusionMatrix.Labels);
    }

    [Fact]
    public void TheViewIsReadOnce()
    {
        var reads = 0;
        Evaluate(new WatchedView(ScoredData.View(_context, ["a", "b"], ("a", [1f, 0f]), ("b", [1f, 0f])), "Score", () => reads++));
        Assert.Equal(2, reads);
    }

    [Fact]
    public void WrongColumnsAreNamed()
    {
        var view = ScoredData.View(_context, ["a", "b"], ("a", [1f, 0f]));
        AssertNames("'Class'", () => _context.MulticlassClassification.EvaluateImageClassifier(view, "Class"));
        AssertNames("'Probability'", () => _context.MulticlassClassification.EvaluateImageClassifier(view, scoreColumnName: "Probability"));
        AssertNames("vector of float", () => _context.MulticlassClassification.EvaluateImageClassifier(view, scoreColumnName: "Label"));
        AssertNames("'Score'", () => _context.MulticlassClassification.EvaluateImageClassifier(view, predictedLabelColumnName: "Score"));
        AssertNames("does not name its 2 classes", () => Evaluate(_context.Data.LoadFromEnumerable([new Nameless { Label = "a", PredictedLabel = "a" }])));
        Assert.Contains("'c'", Assert.Throws<InvalidOperationException>(() => _context.MulticlassClassification.EvaluateImageClassifier(
            ScoredData.View(_context, ["a", "b"], ("c", [1f, 0f]), ("a", [1f, 0f])), labelColumnName: "PredictedLabel", predictedLabelColumnName: "Label")).Message);

        static void AssertNames(string expected, Action evaluate) => Assert.Contains(expected, Assert.ThrowsAny<ArgumentException>(evaluate).Message);
    }

    [Fact]
    public void EveryClassOfALabelsNameIsRight()
    {
        var heard = new List<string>();
        _context.Log += (_, e) => heard.Add(e.Message);
        var metrics = Evaluate(ScoredData.View(_context, ["crane", "fish", "crane"],
            ("crane", [0.1f, 0.2f, 0.7f]), ("crane", [0.3f, 0.5f, 0.2f]), ("fish", [0.1f, 0.3f, 0.6f])));
        Assert.Equal((3, 1.0 / 3), (metrics.Count, metrics.Top1Accuracy));
        Assert.Equal(-(Math.Log(0.8) + Math.Log(0.5) + Math.Log(0.3)) / 3, metrics.LogLoss, 1e-6);
        Assert.Equal([(0, 1, 1), (1, 2, 1), (2, 2, 1)], metrics.ConfusionMatrix.Cells);     // the second row is taken for a miss of its likelier crane
        Assert.Equal(["crane"], metrics.SharedNames);
        Assert.Contains("crane", metrics.ToString().Split('\n').Single(line => line.StartsWith("names of several classes", StringComparison.Ordinal)));
        Assert.Contains("'crane'", Assert.Single(heard, message => message.Contains("several classes", StringComparison.Ordinal)));
    }

    /// <summary>The first and the last class of a published network have one name; every family that publishes classifiers.</summary>
    [Theory]
    [InlineData("vit-classifier")]
    [InlineData("swin-classifier")]
    [InlineData("swinv2-classifier")]
    public void KeysWithTheScoresValuesMeanAPlace(string name)
    {
        using var folder = TestFolders.Temporary();
        using var golden = GoldenCase.OpenOwn(name);
        foreach (var file in Directory.GetFiles(golden.Path))
            File.Copy(file, folder.File(Path.GetFileName(file)));
        var config = JsonNode.Parse(File.ReadAllText(golden.File("config.json")))!;
        var labels = config["id2label"]!.AsObject();
        var last = labels.Count - 1;
        labels[$"{last}"] = labels["0"]!.DeepClone();
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());

        ImageClassifierOptions options = name.StartsWith("vit", StringComparison.Ordinal) ? new ViTClassifierOptions() : new SwinClassifierOptions();
        (options.Checkpoint, options.TrainedParts) = (folder.Path, TrainedParts.None);
        using var model = options is ViTClassifierOptions vit ? _context.Transforms.ViTClassifier(vit).Fit(ToyImages.View(_context, 1))
            : _context.Transforms.SwinClassifier((SwinClassifierOptions)options).Fit(ToyImages.View(_context, 1));
        Assert.Equal(model.Labels[0], model.Labels[last]);

        // Labels that are the predictions themselves: as keys, and by name.
        var scored = model.Transform(ToyImages.View(_context, 24));
        Assert.Equal(1, _context.MulticlassClassification.EvaluateImageClassifier(scored, labelColumnName: "PredictedLabel").Top1Accuracy);
        var byPlace = _context.Transforms.CopyColumns("Label", "PredictedLabel").Fit(scored).Transform(scored);
        var named = _context.Transforms.Conversion.MapKeyToValue("Label").Fit(byPlace).Transform(byPlace);
        Assert.Equal(1, Evaluate(named).Top1Accuracy);
        Assert.Equal(Evaluate(byPlace).ConfusionMatrix.Cells, Evaluate(named).ConfusionMatrix.Cells);
        Assert.Equal([model.Labels[0]], Evaluate(byPlace).SharedNames);
    }

    private sealed class Nameless
    {
        public string Label { get; set; } = "";
        public string PredictedLabel { get; set; } = "";

        [VectorType(2)]
        public float[] Score { get; set; } = [0.5f, 0.5f];
    }

    private sealed class Numbered
    {
        public int Label { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [];
    }
}
