using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Runs a theory for every estimator of the package, or for those of a kind; where values are given, once with each of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EveryEstimatorAttribute(params object[] values) : DataAttribute
{
    /// <summary>The kind, where the theory is not for all: the name of a property of <see cref="EstimatorCase"/>.</summary>
    public string? Only { get; set; }

    public override bool SupportsDiscoveryEnumeration() => true;

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        var kind = Only is null ? null : typeof(EstimatorCase).GetProperty(Only) ?? throw new InvalidOperationException($"There is no kind of estimators '{Only}'.");
        var names = EstimatorCase.All.Where(estimator => kind is null || (bool)kind.GetValue(estimator)!).Select(estimator => estimator.Name);
        IReadOnlyCollection<ITheoryDataRow> rows = values.Length == 0
            ? [.. names.Select(name => new TheoryDataRow<string>(name))]
            : [.. names.SelectMany(name => values.Select(value => new TheoryDataRow<string, object>(name, value)))];
        return new(rows);
    }
}
