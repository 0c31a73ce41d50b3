namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Measures the time that the process computes, which other processes hardly lengthen, and so runs alone.</summary>
[Collection("Alone")]
public class CancellationTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Theory, EveryEstimator]
    public async Task TrainingStopsSoonWithAUsableModel(string estimator)
    {
        using var source = new CancellationTokenSource();
        var training = new TaskCompletionSource();
        var options = Cancellable(estimator, source.Token).Set("Epochs", 1_000_000).Set("EarlyStoppingPatience", 0)
            .Set("Progress", new Reports<TrainingProgress>(_ => training.TrySetResult()));
        var context = new MLContext(seed: 1);
        var fit = Task.Run(() => EstimatorCase.Of(estimator).Create(context, options).Fit(ContractData.Images(context)), TestContext.Current.CancellationToken);
        await Task.WhenAny(training.Task, fit).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        var before = Environment.CpuUsage.TotalTime;
        await source.CancelAsync();
        var model = await fit;
        AssertSoon(before);
        AssertUsable(model);
    }

    [Theory, EveryEstimator]
    public void ReadingImagesStopsSoon(string estimator)
    {
        using var source = new CancellationTokenSource();
        var context = new MLContext(seed: 1);
        var reads = 0;
        var data = new WatchedView(ContractData.Images(context, 200), "Image", () =>
        {
            if (++reads == 5)
                source.Cancel();
        });
        var maker = EstimatorCase.Of(estimator).Create(context, Cancellable(estimator, source.Token));
        var thrown = Record.Exception(() => maker.Fit(data));
        Assert.SkipWhen(reads == 0, "Fitting looks at no image.");
        Assert.IsAssignableFrom<OperationCanceledException>(thrown);
        Assert.True(reads < 100, $"{reads} rows were read.");
    }

    [Theory, EveryEstimator]
    public void ATokenThatIsCanceledAlreadyStopsAtOnce(string estimator)
    {
        var context = new MLContext(seed: 1);
        var maker = EstimatorCase.Of(estimator).Create(context, Cancellable(estimator, new CancellationToken(true)));
        var before = Environment.CpuUsage.TotalTime;
        try
        {
            AssertUsable(maker.Fit(ContractData.Images(context)));
        }
        catch (OperationCanceledException)
        {
            // As documented: before training began, there is no model to give.
        }
        AssertSoon(before);
    }

    private static void AssertSoon(TimeSpan before)
    {
        var computed = Environment.CpuUsage.TotalTime - before;
        Assert.True(computed < Soon, $"It took {computed}.");
    }

    private static OptionBag Cancellable(string estimator, CancellationToken token)
    {
        var options = EstimatorCase.Of(estimator).Options();
        Assert.SkipUnless(options.Has("CancellationToken"), "Nothing takes long.");
        return options.Set("CancellationToken", token);
    }

    private static void AssertUsable(ITransformer model)
    {
        using var owned = model as IDisposable;
        var scores = ContractData.Scores(model, ContractData.Images(new MLContext(), 3));
        Assert.Equal(3, scores.Count);
        Assert.All(scores.SelectMany(row => row).OfType<object[]>().SelectMany(vector => vector).OfType<float>(), score => Assert.True(float.IsFinite(score)));
    }
}
