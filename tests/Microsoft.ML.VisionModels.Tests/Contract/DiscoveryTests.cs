using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Tests.Contract;

public class DiscoveryTests
{
    [Fact]
    public void EveryPublicEstimatorHasACatalogMethodWithOptions()
    {
        var estimators = typeof(BatchTransformer).Assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && EstimatorCase.IsEstimator(type));
        Assert.NotEmpty(estimators);
        var made = EstimatorCase.All.Select(estimator => estimator.EstimatorType).Select(type => type.IsGenericType ? type.GetGenericTypeDefinition() : type);
        Assert.Empty(estimators.Except(made).Select(type => type.Name));
    }

    [Theory, EveryEstimator]
    public void OptionsAreRequired(string estimator) =>
        Assert.Throws<ArgumentNullException>(() => EstimatorCase.Of(estimator).Create(new MLContext(), new OptionBag(null!)));

    [Fact]
    public void ModelsOfEveryVersionNameOneAssembly() =>
        Assert.Equal(new Version(1, 0, 0, 0), typeof(BatchTransformer).Assembly.GetName().Version);
}
