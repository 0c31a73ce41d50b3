namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Measures the time that the process computes, which other processes hardly lengthen, and so runs alone.</summary>
[Collection("Alone")]
public class CancellationTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.Trains))]
    public async Task TrainingStopsSoonWithAUsableModel(string estimator)
    {
        using var source = new CancellationTokenSource();
        var training = new TaskCompletionSource();
        var options = Cancellable(estimator, source.Token).For<TrainerOptions>(trainer =>
        {
            (trainer.Epochs, trainer.EarlyStoppingPatience) = (1_000_000, 0);
            trainer.Progress = new Reports<TrainingProgress>(_ => training.TrySetResult());
        });
        var context = new MLContext(seed: 1);
        var fit = Task.Run(() => EstimatorCase.Of(estimator).Create(context, options).Fit(ContractData.Images(context)), TestContext.Current.CancellationToken);
        await Task.WhenAny(training.Task, fit).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        var before = Environment.CpuUsage.TotalTime;
        await source.CancelAsync();
        var model = await fit;
        AssertSoon(before);
        AssertUsable(model);
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.FitsLong))]
    public void ReadingRowsStopsSoon(string estimator)
    {
        using var source = new CancellationTokenSource();
        var context = new MLContext(seed: 1);
        var reads = 0;
        var data = new WatchedView(ContractData.Images(context, 200), EstimatorCase.Of(estimator).FitInput, () =>
        {
            if (++reads == 5)
                source.Cancel();
        });
        var maker = EstimatorCase.Of(estimator).Create(context, Cancellable(estimator, source.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => maker.Fit(data));
        Assert.InRange(reads, 5, 100);
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.FitsLong))]
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

    private static OptionBag Cancellable(string estimator, CancellationToken token) =>
        EstimatorCase.Of(estimator).Options().Set(nameof(TrainerOptions.CancellationToken), token);

    private static void AssertUsable(ITransformer model)
    {
        using var owned = model as IDisposable;
        var scores = ContractData.Scores(model, ContractData.Images(new MLContext(), 3));
        Assert.Equal(3, scores.Count);
        Assert.All(scores.SelectMany(row => row).OfType<object[]>().SelectMany(vector => vector).OfType<float>(), score => Assert.True(float.IsFinite(score)));
    }
}
