using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Measures the time that the process computes, which other processes hardly lengthen, and so runs alone.</summary>
[Collection("Alone")]
public class CancellationTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Theory, EveryEstimator("token", "context", Only = nameof(EstimatorCase.Trains))]
    public async Task TrainingStopsSoonWithAUsableModel(string estimator, object by)
    {
        using var cancellation = new Cancellation((string)by);
        var training = new TaskCompletionSource();
        var options = cancellation.Options(estimator).For<TrainerOptions>(trainer =>
        {
            (trainer.Epochs, trainer.EarlyStoppingPatience) = (1_000_000, 0);
            trainer.Progress = new Reports<TrainingProgress>(_ => training.TrySetResult());
        });
        var fit = Task.Run(() => cancellation.Fit(estimator, options), TestContext.Current.CancellationToken);
        await Task.WhenAny(training.Task, fit).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        var before = Environment.CpuUsage.TotalTime;
        cancellation.Cancel();
        var model = await fit;
        AssertSoon(before);
        AssertUsable(model);
    }

    [Theory, EveryEstimator("token", "context", Only = nameof(EstimatorCase.FitsLong))]
    public void ReadingRowsStopsSoon(string estimator, object by)
    {
        using var cancellation = new Cancellation((string)by);
        var rows = cancellation.WatchedRows(EstimatorCase.Of(estimator).FitInput);
        Assert.ThrowsAny<OperationCanceledException>(() => cancellation.Fit(estimator, cancellation.Options(estimator), rows));
        cancellation.AssertFewRead();
    }

    /// <summary>The options' token stops training, and so it is not that of what the model scores.</summary>
    [Theory, EveryEstimator(Only = nameof(EstimatorCase.OnlyScores))]
    public void ScoringStopsSoon(string estimator)
    {
        using var cancellation = new Cancellation("token");
        var model = cancellation.Fit(estimator, cancellation.Options(estimator));
        using var owned = model as IDisposable;
        var rows = cancellation.WatchedRows(EstimatorCase.Of(estimator).Input);
        Assert.ThrowsAny<OperationCanceledException>(() => ContractData.Scores(model, rows));
        cancellation.AssertFewRead();
    }

    [Theory, EveryEstimator]
    public void ScoringWithATokenOfItsOwnStopsSoon(string estimator)
    {
        using var cancellation = new Cancellation("token");
        var model = Assert.IsType<BatchTransformer>(cancellation.Fit(estimator, EstimatorCase.Of(estimator).Options()), exactMatch: false);
        using var owned = model;
        var rows = cancellation.WatchedRows(EstimatorCase.Of(estimator).Input);
        Assert.ThrowsAny<OperationCanceledException>(() => ViewValues.Read(model.TransformCancelable(rows, cancellation.Token), ContractData.Added(model, rows)));
        cancellation.AssertFewRead();
    }

    [Theory, EveryEstimator("token", "context")]
    public void FittingThatIsCanceledAlreadyStopsAtOnce(string estimator, object by)
    {
        using var cancellation = new Cancellation((string)by);
        cancellation.Cancel();
        var before = Environment.CpuUsage.TotalTime;
        try
        {
            AssertUsable(cancellation.Fit(estimator, cancellation.Options(estimator)));
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

    private static void AssertUsable(ITransformer model)
    {
        using var owned = model as IDisposable;
        var scores = ContractData.Scores(model, ContractData.Images(new MLContext(), 3));
        Assert.Equal(3, scores.Count);
        Assert.All(scores.SelectMany(row => row).OfType<object[]>().SelectMany(vector => vector).OfType<float>(), score => Assert.True(float.IsFinite(score)));
    }

    /// <summary>Work that is canceled by the token of its options, or by its context: as AutoML does when its time is over.</summary>
    private sealed class Cancellation(string by) : IDisposable
    {
        private const int Row = 5;

        private readonly MLContext _context = new(seed: 1);
        private readonly CancellationTokenSource _source = new();
        private int _reads;

        public CancellationToken Token => _source.Token;

        public OptionBag Options(string estimator)
        {
            var options = EstimatorCase.Of(estimator).Options();
            return by == "token" ? options.For<ScoringOptions>(scoring => scoring.CancellationToken = Token) : options;
        }

        public ITransformer Fit(string estimator, OptionBag options, IDataView? rows = null) =>
            EstimatorCase.Of(estimator).Create(_context, options).Fit(rows ?? ContractData.Images(_context));

        public void Cancel()
        {
            if (by == "token")
                _source.Cancel();
            else
                HostCancellation.Cancel(_context);
        }

        /// <summary>Many rows; the work is canceled while a column of the fifth is read.</summary>
        public IDataView WatchedRows(string column) => new WatchedView(ContractData.Images(_context, 200), column, () =>
        {
            if (++_reads == Row)
                Cancel();
        });

        /// <summary>Fails where many rows were read after that.</summary>
        public void AssertFewRead() => Assert.InRange(_reads, Row, 100);

        public void Dispose() => _source.Dispose();
    }
}
