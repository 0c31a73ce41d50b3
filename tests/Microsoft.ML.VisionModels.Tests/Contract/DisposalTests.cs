namespace Microsoft.ML.VisionModels.Tests.Contract;

public class DisposalTests
{
    [Theory, EveryEstimator]
    public void ADisposedModelSaysSo(string estimator)
    {
        var data = ContractData.Images(new MLContext(), 5);
        var model = EstimatorCase.Of(estimator).Fit(options => options.Epochs(1));
        var (view, columns) = (model.Transform(data), ContractData.Added(model, data));
        var engine = PredictionEngineTests.Engines<ContractData.Row>(model, data)[0];
        var disposable = Assert.IsType<IDisposable>(model, exactMatch: false);
        disposable.Dispose();
        disposable.Dispose();

        Assert.Throws<ObjectDisposedException>(() => model.Transform(data));
        Assert.Throws<ObjectDisposedException>(() => model.GetOutputSchema(data.Schema));
        Assert.Throws<ObjectDisposedException>(() => model.GetRowToRowMapper(data.Schema));
        Assert.Throws<ObjectDisposedException>(() => ModelZip.Entries(model));
        if (model is ImageClassifierTransformer classifier)
            Assert.Throws<ObjectDisposedException>(() => classifier.SaveCheckpoint(Path.GetTempPath()));
        // What was made before.
        Assert.Throws<ObjectDisposedException>(() => ViewValues.Read(view, columns));
        var error = Assert.Throws<ObjectDisposedException>(() => engine(ContractData.Rows(1)[0]));
        Assert.Contains("a PredictionEngine disposes of its model too, unless PredictionEngineOptions.OwnsTransformer is false", error.Message);
    }
}
