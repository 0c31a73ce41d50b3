namespace Microsoft.ML.VisionModels.Tests.Contract;

public class ThreadTests(FittedModels models)
{
    private const int Threads = 8;

    [Theory, EveryEstimator]
    public async Task EightThreadsTransform(string estimator)
    {
        var data = ContractData.Images(new MLContext());
        var expected = ContractData.Scores(models[estimator], data);
        var view = models[estimator].Transform(data);
        var columns = ContractData.Added(models[estimator], data);
        foreach (var scores in await AtOnce(thread => thread % 2 == 0 ? ViewValues.Read(view, columns) : ContractData.Scores(models[estimator], data)))
            ContractData.AssertSame(expected, scores);
    }

    [Theory, EveryEstimator]
    public async Task EightThreadsPredict(string estimator)
    {
        var rows = ContractData.Rows();
        var data = new MLContext().Data.LoadFromEnumerable(rows);
        var expected = Predict();
        foreach (var predictions in await AtOnce(_ => Predict()))
            ContractData.AssertSame(expected, predictions);

        List<object[]> Predict()
        {
            var engines = PredictionEngineTests.Engines<ContractData.Row>(models[estimator], data);
            return [.. rows.Select(row => Array.ConvertAll(engines, predict => predict(row)))];
        }
    }

    private static async Task<T[]> AtOnce<T>(Func<int, T> work)
    {
        using var start = new Barrier(Threads);
        return await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            return work(thread);
        }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
    }
}
