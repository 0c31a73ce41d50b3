using System.Collections.Concurrent;

[assembly: AssemblyFixture(typeof(Microsoft.ML.VisionModels.Tests.Contract.FittedModels))]

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>One fitted model of each estimator, shared by the tests that only score.</summary>
public sealed class FittedModels : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<ITransformer>> _models = new();

    public ITransformer this[string estimator] => _models.GetOrAdd(estimator, name => new(() => EstimatorCase.Of(name).Fit())).Value;

    public void Dispose()
    {
        foreach (var model in _models.Values)
            (model.Value as IDisposable)?.Dispose();
    }
}
