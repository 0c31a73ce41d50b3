using System.Reflection;
using Microsoft.ML.VisionModels.Checkpoints;
using Xunit.Sdk;
using Xunit.v3;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>Runs a theory for every estimator of the package; where values are given, once with each of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EveryEstimatorAttribute(params object[] values) : DataAttribute
{
    public override bool SupportsDiscoveryEnumeration() => true;

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        var names = EstimatorCase.All.Select(estimator => estimator.Name);
        IReadOnlyCollection<ITheoryDataRow> rows = values.Length == 0
            ? [.. names.Select(name => new TheoryDataRow<string>(name))]
            : [.. names.SelectMany(name => values.Select(value => new TheoryDataRow<string, object>(name, value)))];
        return new(rows);
    }
}
