namespace Microsoft.ML.VisionModels.Tests.Contract;

public class SeedTests(FittedModels models)
{
    [Theory, EveryEstimator]
    public void OneSeedGivesOneModel(string estimator)
    {
        var expected = ModelZip.Entries(models[estimator]);

        // The estimator used twice, after others and in between: randomness is nobody else's.
        var context = new MLContext(seed: 1);
        var maker = EstimatorCase.Of(estimator).Create(context, EstimatorCase.Of(estimator).Options());
        for (var i = 0; i < 2; i++)
        {
            var model = maker.Fit(ContractData.Images(context));
            using var owned = model as IDisposable;
            Assert.Equal(expected, ModelZip.Entries(model));
        }
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.Trains))]
    public void AnotherSeedGivesAnother(string estimator)
    {
        var model = EstimatorCase.Of(estimator).Fit(seed: 2);
        using var owned = model as IDisposable;
        Assert.NotEqual(ModelZip.Entries(models[estimator]), ModelZip.Entries(model));
    }

    [Theory, EveryEstimator(Only = nameof(EstimatorCase.Learns))]
    public void TheOptionGoesBeforeTheContext(string estimator)
    {
        var model = EstimatorCase.Of(estimator).Fit(options => options.For<TrainerOptions>(trainer => trainer.Seed = 1), seed: 2);
        using var owned = model as IDisposable;
        Assert.Equal(ModelZip.Entries(models[estimator]), ModelZip.Entries(model));
    }
}
