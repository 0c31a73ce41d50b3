using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Clip;

public class ClipFewShotTests(TrainedClip trained)
{
    private readonly MLContext _context = new(seed: 1);

    /// <summary>The names are not those that the text tower knows: what the classes are must be learned.</summary>
    [Theory]
    [InlineData(ClipFewShotMethod.TipAdapter)]
    [InlineData(ClipFewShotMethod.LinearProbe)]
    [InlineData(ClipFewShotMethod.CoOp)]
    public void LearnsFromEightImagesAClass(ClipFewShotMethod method)
    {
        var options = Options(method);
        options.CacheWeight = 10;
        using var model = _context.Transforms.ClipFewShot(options).Fit(Renamed(24, seed: 0));
        Assert.Equal(["xa", "xb", "xc"], model.Labels);
        Assert.Equal(method == ClipFewShotMethod.TipAdapter, model.History is null);

        var test = Renamed(60, seed: 2);
        var scored = model.Transform(test);
        var right = Predicted(model, scored).Zip(test.GetColumn<string>("Label")).Count(pair => pair.First == pair.Second);
        Assert.True(right >= 54, $"{method}: {right} of 60 are right.");
    }

    [Theory]
    [InlineData(ClipFewShotMethod.TipAdapter)]
    [InlineData(ClipFewShotMethod.LinearProbe)]
    [InlineData(ClipFewShotMethod.CoOp)]
    public void WorksInBFloat16AndIsReadBack(ClipFewShotMethod method)
    {
        var options = Options(method);
        (options.TrainingPrecision, options.Precision, options.Epochs, options.GradientCheckpointing) = (Precision.BFloat16, Precision.BFloat16, 2, true);
        using var model = _context.Transforms.ClipFewShot(options).Fit(Renamed(24, seed: 0));
        using var folder = TestFolders.Temporary();
        var test = Renamed(9, seed: 2);
        _context.Model.Save(model, test.Schema, folder.File("model.zip"));
        var loaded = _context.Model.Load(folder.File("model.zip"), out _);
        using var owned = (IDisposable)loaded;
        ContractData.AssertSame(ContractData.Scores(model, test), ContractData.Scores(loaded, test));
        Assert.All(model.Transform(test).GetColumn<float[]>("Score"), scores => Assert.Equal(1, scores.Sum(), 1e-4f));
    }

    [Fact]
    public void RememberedImagesAreToldWithCertainty()
    {
        var options = Options(ClipFewShotMethod.TipAdapter);
        (options.CacheWeight, options.CacheSharpness) = (1000, 1e6);
        var images = ToyImages.View(_context, 9);
        using var model = _context.Transforms.ClipFewShot(options).Fit(images);
        var scored = model.Transform(images);
        Assert.Equal(images.GetColumn<string>("Label"), Predicted(model, scored));
    }

    [Fact]
    public void ALinearProbeNeedsNoTokenizer()
    {
        using var folder = TestFolders.Temporary();
        foreach (var file in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(trained.Checkpoint, file), folder.File(file));
        var (probe, coOp) = (Options(ClipFewShotMethod.LinearProbe), Options(ClipFewShotMethod.CoOp));
        probe.Checkpoint = coOp.Checkpoint = folder.Path;
        using var model = _context.Transforms.ClipFewShot(probe).Fit(ToyImages.View(_context, 6));
        Assert.Throws<FileNotFoundException>(() => _context.Transforms.ClipFewShot(coOp).Fit(ToyImages.View(_context, 6)));
    }

    [Fact]
    public void LabelsMayBeCalledWhatTheTextTowerKnows()
    {
        var options = Options(ClipFewShotMethod.TipAdapter);
        (options.CacheWeight, options.Templates) = (0, ["a {} square"]);     // nothing but words
        options.LabelWords = ToyImages.Names.Zip(["xa", "xb", "xc"]).ToDictionary(pair => pair.Second, pair => pair.First);
        using var model = _context.Transforms.ClipFewShot(options).Fit(Renamed(24, seed: 0));
        var test = Renamed(60, seed: 2);
        Assert.True(Predicted(model, model.Transform(test)).Zip(test.GetColumn<string>("Label")).Count(pair => pair.First == pair.Second) >= 54);

        options.LabelWords = new Dictionary<string, string> { ["red"] = "red" };
        Assert.Contains("'red'", Assert.Throws<ArgumentException>(() => _context.Transforms.ClipFewShot(options).Fit(Renamed(24, seed: 0))).Message);
    }

    [Fact]
    public void AContextThatLeavesNoRoomIsAnError()
    {
        var options = Options(ClipFewShotMethod.CoOp);
        options.ContextTokens = 30;
        Assert.Contains("32", Assert.Throws<ArgumentException>(() => _context.Transforms.ClipFewShot(options).Fit(ToyImages.View(_context, 6))).Message);
    }

    private IDataView Renamed(int count, int seed)
    {
        var rows = ToyImages.Rows(count, seed);
        rows.ForEach(row => row.Label = "x" + "abc"[Array.IndexOf(ToyImages.Names, row.Label)]);
        return _context.Data.LoadFromEnumerable(rows);
    }

    private static IEnumerable<string> Predicted(ClassifierTransformer model, IDataView scored) =>
        scored.GetColumn<uint>("PredictedLabel").Select(key => model.Labels[(int)key - 1]);

    private ClipFewShotOptions Options(ClipFewShotMethod method) =>
        new() { Checkpoint = trained.Checkpoint, Method = method, Epochs = 60, BatchSize = 8, ContextTokens = 4, Device = "cpu" };
}
