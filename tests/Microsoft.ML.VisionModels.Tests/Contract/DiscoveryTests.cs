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

    /// <summary>By what the estimator does, not by its options: or those that are classed otherwise would take it out of tests without a word.</summary>
    [Theory, EveryEstimator]
    public void KindsAreTold(string estimator)
    {
        var it = EstimatorCase.Of(estimator);
        Assert.Equal(it.TransformerType.IsAssignableTo(typeof(ImageTransformer)), it.ReadsImages);
        // A featurizer may be judged by labels, but neither learns them nor gives them; and a generator makes images of them.
        Assert.Equal(it.ReadsLabels, it.TransformerType != typeof(ImageFeaturizerTransformer) && it.TransformerType != typeof(DiffusionTransformer) && it.Options().Columns.ContainsKey(nameof(ImageClassifierOptions.LabelColumnName)));

        var context = new MLContext(seed: 1);
        var models = Array.ConvertAll([0, 1], seed =>
        {
            var model = it.Create(context, it.Options().Epochs(1)).Fit(ContractData.Images(context, seed: seed));
            using var owned = model as IDisposable;
            return ModelZip.Entries(model);
        });
        Assert.Equal(it.Learns, !models[0].SequenceEqual(models[1]));
    }

    /// <summary>Or a test's options would be those that the estimator has by itself.</summary>
    [Fact]
    public void AnOptionThatIsNotThereIsAnError()
    {
        Assert.Contains("Epoch'", Assert.Throws<ArgumentException>(() => new OptionBag(new ViTClassifierOptions()).Set("Epoch", 1)).Message);
        Assert.IsType<ViTClassifierOptions>(new OptionBag(new ViTClassifierOptions()).SetIfPresent("Epoch", 1).Value);
    }

    [Fact]
    public void ModelsOfEveryVersionNameOneAssembly() =>
        Assert.Equal(new Version(1, 0, 0, 0), typeof(BatchTransformer).Assembly.GetName().Version);
}
