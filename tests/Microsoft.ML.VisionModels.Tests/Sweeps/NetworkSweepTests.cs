using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Sweeps over networks that really train.</summary>
[Collection("Alone")]
public class NetworkSweepTests
{
    private readonly MLContext _context = new(seed: 1);

    private SweepCandidate<ViTClassifierOptions> Tiny(int epochs) => SweepCandidate.Of((ViTClassifierOptions options) =>
    {
        (options.PatchSize, options.Device, options.ValidationFraction) = (ToyImages.Side / 4, "cpu", 0.25);
        return _context.Transforms.ViTClassifier(options);
    }).Fix(o => o.Epochs, epochs).Fix(o => o.ImageSize, ToyImages.Side).Fix(o => o.Preset, ViTPreset.SmallImage).Choice(o => o.BatchSize, 8, 16);

    [Fact]
    public void BadTrialsAreEndedInTheMiddle()
    {
        var options = new SweepOptions { Trials = 12, Pruner = SweepPruner.Asha, Sampler = SweepSampler.Random };
        using var result = _context.Vision().Sweep(options, Tiny(epochs: 5).Range(o => o.LearningRate, 1e-7, 3e-3, logarithmic: true, initial: 2e-3))
            .Run(ToyImages.View(_context, 60), ToyImages.View(_context, 30, seed: 1));

        var trials = result.Study.Trials;
        Assert.Contains(trials, trial => trial.State == SweepTrialState.Pruned);
        Assert.All(trials.Where(trial => trial.State == SweepTrialState.Pruned), trial => Assert.Equal((true, null), (trial.Epochs.Count is 1 or 4, trial.Score)));
        Assert.All(trials.Where(trial => trial.State == SweepTrialState.Complete), trial => Assert.Equal(5, trial.Epochs.Count));
        Assert.True(result.Best!.Score > 0.9, $"{result.Best.Score}");
        var metrics = _context.MulticlassClassification.EvaluateImageClassifier(result.Model!.Transform(ToyImages.View(_context, 30, seed: 1)));
        Assert.Equal(result.Best.Score.Value, metrics.Top1Accuracy, 1e-9);
    }

    [Fact]
    public void TwoFamiliesAreComparedInOneStudy()
    {
        using var folder = TestFolders.Temporary();
        var swin = SweepCandidate.Of((SwinClassifierOptions options) =>
        {
            (options.PatchSize, options.WindowSize, options.Device) = (2, 2, "cpu");
            return _context.Transforms.SwinClassifier(options);
        }).Fix(o => o.Epochs, 1).Fix(o => o.ImageSize, ToyImages.Side).Fix(o => o.Preset, SwinPreset.SmallImage);
        using var result = _context.Vision().Sweep(new() { Trials = 10, Pruner = SweepPruner.None, ModelPath = folder.File("model.zip") }, Tiny(epochs: 1), swin)
            .Run(ToyImages.View(_context, 30), ToyImages.View(_context, 15, seed: 1));
        Assert.Equal(["SwinClassifier", "ViTClassifier"], result.Study.Trials.Select(trial => trial.Candidate).Distinct().Order());
        Assert.All(result.Study.Trials, trial => Assert.Equal(SweepTrialState.Complete, trial.State));

        // The model's file, loaded, says the same.
        var loaded = new MLContext().Model.Load(folder.File("model.zip"), out _);
        using var owned = loaded as IDisposable;
        Assert.Equal(ContractData.Scores(result.Model!, ToyImages.View(_context, 6)), ContractData.Scores(loaded, ToyImages.View(_context, 6)));

        result.Study.WriteReport(folder.File("report.html"));
        var page = File.ReadAllText(folder.File("report.html"));
        foreach (var part in new[] { "The best so far", "Learning curves", "ViTClassifier: one by one", "SwinClassifier: all together", "LearningRate" })
            Assert.Contains(part, page);
        Assert.DoesNotContain("NaN", page);
    }

    /// <summary>Features without labels are searched by what neighbors tell of classes, options within options too.</summary>
    [Fact]
    public void FeaturesAreSearchedByTheirNeighbors()
    {
        var candidate = SweepCandidate.Of((SslFeaturizerOptions options) =>
        {
            (options.Checkpoint, options.BatchSize, options.Device) = (SelfSupervised.SslContractSetup.Folder("resnet", ToyImages.Side), 8, "cpu");
            return _context.Transforms.SslFeaturizer(options);
        }).Only(o => o.SimClr.Temperature, o => o.MinViewArea).Fix(o => o.SimClr.ProjectionSize, 8).Fix(o => o.Epochs, 1);
        Assert.Equal(["MinViewArea", "SimClr.Temperature"], candidate.Branch.Dimensions.Select(dimension => dimension.Name));

        using var result = _context.Vision().Sweep(new() { Trials = 4, Metric = SweepMetric.Neighbors(), Pruner = SweepPruner.None }, candidate)
            .Run(ToyImages.View(_context, 24), ToyImages.View(_context, 12, seed: 1));
        Assert.All(result.Study.Trials, trial => Assert.Equal(SweepTrialState.Complete, trial.State));
        Assert.Equal(4, result.Study.Trials.Select(trial => trial.Parameters["SimClr.Temperature"]).Distinct().Count());
        Assert.All(result.Study.Trials, trial => Assert.InRange(trial.Score!.Value, 0, 1));
    }

    [Fact]
    public void CancellingStopsTheTrialAndGivesTheBestModel()
    {
        using var stop = new CancellationTokenSource();
        var options = new SweepOptions
        {
            Trials = 50, CancellationToken = stop.Token,
            Progress = new Reports<SweepProgress>(progress =>
            {
                if (progress.Trial is { Number: 2, Epochs.Count: 2 })
                    stop.Cancel();
            }),
            Pruner = SweepPruner.None,
        };
        using var result = _context.Vision().Sweep(options, Tiny(epochs: 4)).Run(ToyImages.View(_context, 30), ToyImages.View(_context, 15, seed: 1));
        Assert.Equal([SweepTrialState.Complete, SweepTrialState.Complete, SweepTrialState.Stopped], result.Study.Trials.Select(trial => trial.State));
        Assert.Equal(2, result.Study.Trials[2].Epochs.Count);
        Assert.NotNull(result.Model);
    }

    [Fact]
    public void FiftyTrialsLeaveMemoryLevel()
    {
        // Weights and the optimizer's state of a trial are 10 MB: to keep those of the beaten would cost a gigabyte.
        var at = new Dictionary<int, long>();
        var options = new SweepOptions
        {
            Trials = 50, Pruner = SweepPruner.None,
            Progress = new Reports<SweepProgress>(progress =>
            {
                if (progress.Trial.IsOver)
                    at[progress.Over] = MemoryTests.Measure().Memory;
            }),
        };
        using var result = _context.Vision().Sweep(options, Tiny(epochs: 1)).Run(ToyImages.View(_context, 40), ToyImages.View(_context, 15, seed: 1));
        Assert.Equal(50, result.Study.Trials.Count);
        var growth = Math.Min(at[30] - at[10], at[50] - at[30]);
        TestContext.Current.TestOutputHelper!.WriteLine($"{at[10] >> 20}, {at[30] >> 20}, {at[50] >> 20} MB after 10, 30 and 50 trials");
        Assert.True(growth < 32 << 20, $"Memory grew by {growth >> 20} MB in 20 trials.");
    }
}
