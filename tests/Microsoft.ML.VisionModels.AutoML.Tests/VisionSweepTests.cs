using Microsoft.ML.AutoML;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Experiments of AutoML over networks that really train.</summary>
public class VisionSweepTests
{
    private readonly ToyExperiment _toy = new();

    [Fact]
    public async Task TrialsArePrunedAndTheBestModelAloneIsAlive()
    {
        using var folder = TestFolders.Temporary();
        var results = new Results();
        var options = new SweepOptions { Trials = 10, Sampler = SweepSampler.Random, Storage = folder.File("study.db"), ModelPath = folder.File("model.zip") };
        using var best = (SweepTrialResult)await _toy.New().SetVisionSweep(_toy.Pipeline(_toy.TinyViT(epochs: 5)), options).SetMonitor(results)
            .RunAsync(TestContext.Current.CancellationToken);

        // The file has everything, and the monitor that took the study's place was told of everything.
        var trials = SweepStudy.Read(options.Storage).Trials;
        Assert.Equal(10, trials.Count);
        Assert.Equal(10, results.Completed.Count);
        Assert.Contains(trials, trial => trial.State == SweepTrialState.Pruned && trial.Epochs.Count < 5);
        Assert.All(trials, trial => Assert.True(trial.State is SweepTrialState.Complete or SweepTrialState.Pruned, $"{trial.State}: {trial.Error}"));
        Assert.All(trials.Where(trial => trial.State == SweepTrialState.Complete), trial => Assert.Equal(5, trial.Epochs.Count));
        Assert.Equal(trials.Select(trial => trial.Score ?? double.NaN), results.Completed.Select(result => result.Metric));

        // Pruned trials are never the best; of all models, one lives.
        Assert.Equal(SweepTrialState.Complete, best.Trial.State);
        Assert.Equal(trials.Where(trial => trial.State == SweepTrialState.Complete).Max(trial => trial.Score), best.Metric);
        Assert.Equal(best.Study.Best!.Number, best.Trial.Number);
        Assert.Same(best, Assert.Single(results.Completed, result => result.Model is not null));
        Assert.True(best.Metric > 0.9, $"{best.Metric}");

        // Model and file say what the trial's score says.
        Assert.Equal(best.Metric, Accuracy(best.Model), 1e-9);
        using var loaded = (IDisposable)new MLContext().Model.Load(options.ModelPath, out _);
        Assert.Equal(best.Metric, Accuracy((ITransformer)loaded), 1e-9);
    }

    [Fact]
    public void ChoicesAreComparedInOneStudy()
    {
        using var best = (SweepTrialResult)_toy.New().SetVisionSweep(_toy.Pipeline(_toy.TinyViT(epochs: 1), _toy.TinySwin(epochs: 1)), new() { Trials = 4, Pruner = SweepPruner.None }).Run();
        Assert.Equal(["ViTClassifier", "SwinClassifier"], best.Study.Trials.Take(2).Select(trial => trial.Candidate));
        Assert.All(best.Study.Trials, trial => Assert.Equal(SweepTrialState.Complete, trial.State));
    }

    [Fact]
    public void AutoMLsTunerAndMetricKeepStudyPruningAndMemory()
    {
        var results = new Results();
        var experiment = _toy.New().SetMulticlassClassificationMetric(MulticlassClassificationMetric.MacroAccuracy, "Label").SetMaxModelToExplore(6);
        using var best = (SweepTrialResult)experiment.SetVisionSweep(_toy.Pipeline(_toy.TinyViT(epochs: 2), _toy.TinySwin(epochs: 1))).SetMonitor(results).SetEciCostFrugalTuner().Run();
        Assert.Equal(("MacroAccuracy", 6), (best.Study.Metric, best.Study.Trials.Count));
        Assert.All(best.Study.Trials, trial => Assert.True(trial.State is SweepTrialState.Complete or SweepTrialState.Pruned, $"{trial.State}: {trial.Error}"));
        Assert.Single(results.Completed, result => result.Model is not null);
        Assert.All(results.Completed.Zip(best.Study.Trials), pair => Assert.Equal(pair.Second.Parameters["LearningRate"], Pipeline(pair.First)["LearningRate"].AsType<double>()));

        static SearchSpace.Parameter Pipeline(TrialResult result)
        {
            var parameter = result.TrialSettings.Parameter["_pipeline_"];
            return parameter[parameter["_SCHEMA_"].AsType<string>().Split(" * ")[^1]];
        }
    }

    [Fact]
    public void AStudyGoesOnAndEndsByItself()
    {
        using var folder = TestFolders.Temporary();
        Run(trials: 2, most: 2).Dispose();
        using (var second = Run(trials: 3, most: 10))
        {
            // AutoML was told of ten; the study has room for one more.
            Assert.Equal(2, second.Trial.Number);
            Assert.Equal(3, second.Study.Trials.Count(trial => trial.State == SweepTrialState.Complete));
        }
        var error = Assert.Throws<AggregateException>(() => Run(trials: 3, most: 10));
        Assert.Contains("has all of its trials", error.InnerException!.Message);

        SweepTrialResult Run(int trials, int most) => (SweepTrialResult)_toy.New()
            .SetVisionSweep(_toy.Pipeline(_toy.TinyViT(epochs: 1)), new() { Trials = trials, Storage = folder.File("study.db") }).SetMaxModelToExplore(most).Run();
    }

    [Fact]
    public void AGridEndsByItselfAndABeatenModelIsFreed()
    {
        var results = new Results();
        var vit = _toy.Context.Auto().ViTClassifier(epochs: 5, search: candidate => candidate.Only(o => o.LearningRate).Choice(o => o.LearningRate, 1e-7, 2e-3)
            .Fix(o => o.BatchSize, 8).Fix(o => o.ImageSize, ToyImages.Side).Fix(o => o.PatchSize, ToyImages.Side / 4).Fix(o => o.Device, "cpu"));
        var options = new SweepOptions { Trials = null, Sampler = SweepSampler.Grid, Pruner = SweepPruner.None };
        using var best = (SweepTrialResult)_toy.New().SetVisionSweep(_toy.Pipeline(vit), options).SetMonitor(results).Run();
        Assert.Equal([1e-7, 2e-3], best.Study.Trials.Select(trial => (double)trial.Parameters["LearningRate"]));

        // The first was the best until the second ended.
        Assert.Equal(2, results.Models.Count);
        Assert.Same(best.Model, results.Models[1]);
        Assert.Null(results.Completed[0].Model);
        Assert.Throws<ObjectDisposedException>(() => Accuracy(results.Models[0]));
        Assert.Equal(best.Metric, Accuracy(best.Model), 1e-9);
    }

    /// <summary>Where AutoML has "Training time finished without completing a successful trial".</summary>
    [Fact]
    public async Task ATrialWhoseTimeIsUpIsScoredAsItStands()
    {
        using var stop = new CancellationTokenSource();
        var options = new SweepOptions { Progress = new Reports<SweepProgress>(progress => { if (progress.Trial is { Number: 0, Epochs.Count: 3 }) stop.Cancel(); }) };
        using var best = (SweepTrialResult)await _toy.New().SetVisionSweep(_toy.Pipeline(_toy.TinyViT(epochs: 150)), options).RunAsync(stop.Token);
        Assert.Equal((SweepTrialState.Stopped, 3), (best.Trial.State, best.Trial.Epochs.Count));
        Assert.Equal(best.Metric, Accuracy(best.Model), 1e-9);
    }

    [Fact]
    public void FoldsAreTrainedOneAfterTheOther()
    {
        var experiment = _toy.Context.Auto().CreateExperiment().SetDataset(_toy.Train, fold: 2);
        using var best = (SweepTrialResult)experiment.SetVisionSweep(_toy.Pipeline(_toy.TinyViT(epochs: 2)), new() { Trials = 1 }).Run();
        Assert.InRange(best.Metric, 0, 1);
        Assert.NotNull(best.Model);
    }

    [Fact]
    public void ARunnerOfAnothersIsTunedAndWrittenDown()
    {
        var other = new SweepableEstimator((_, _) => throw new NotSupportedException(), new SearchSpace.SearchSpace { ["X"] = new SearchSpace.Option.UniformDoubleOption(0, 1) });
        using var folder = TestFolders.Temporary();
        var options = new SweepOptions { Trials = 40, Storage = folder.File("study.db"), Metric = SweepMetric.Named("LogLoss") };
        var result = _toy.New().SetVisionSweep(_toy.Pipeline(other), options).SetTrialRunner(_ => new Formula()).Run();
        var study = SweepStudy.Read(options.Storage);
        Assert.Equal(40, study.Trials.Count(trial => trial.State == SweepTrialState.Complete));
        Assert.Equal(result.Loss, study.Best!.Score);
        Assert.True(result.Loss < 1e-3, $"{result.Loss}");
    }

    [Fact]
    public void AFailureIsWrittenDown()
    {
        using var folder = TestFolders.Temporary();
        var options = new SweepOptions { Trials = 3, Storage = folder.File("study.db") };
        var wrong = _toy.Context.Auto().ViTClassifier(imageColumnName: "Nowhere");
        Assert.ThrowsAny<Exception>(() => _toy.New().SetVisionSweep(_toy.Pipeline(wrong), options).Run());
        var trial = Assert.Single(SweepStudy.Read(options.Storage).Trials);
        Assert.Equal(SweepTrialState.Failed, trial.State);
        Assert.Contains("Nowhere", trial.Error);
        Assert.Throws<ArgumentException>(() => _toy.New().SetVisionSweep(_toy.Pipeline(wrong), new() { Workers = 2 }));
    }

    private double Accuracy(ITransformer model) => _toy.Context.MulticlassClassification.EvaluateImageClassifier(model.Transform(_toy.Validation)).Top1Accuracy;

    /// <summary>A user's own, in the place of the study's.</summary>
    private sealed class Results : IMonitor
    {
        public List<TrialResult> Completed { get; } = [];

        /// <summary>Those that were the best when their trial had ended.</summary>
        public List<ITransformer> Models { get; } = [];

        public void ReportCompletedTrial(TrialResult result)
        {
            Completed.Add(result);
            if (result.Model is not null)
                Models.Add(result.Model);
        }

        public void ReportBestTrial(TrialResult result)
        {
        }

        public void ReportFailTrial(TrialSettings settings, Exception? exception = null) => Assert.Fail($"{exception}");

        public void ReportRunningTrial(TrialSettings settings)
        {
        }
    }

    private sealed class Formula : ITrialRunner
    {
        public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct)
        {
            var value = Math.Pow(settings.Parameter["_pipeline_"]["e1"]["X"].AsType<double>() - 0.3, 2);
            return Task.FromResult(new TrialResult { TrialSettings = settings, Loss = value, Metric = value });
        }

        public void Dispose()
        {
        }
    }
}
