using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Changes parameters by their gradients.</summary>
internal interface IOptimizer : IDisposable
{
    /// <summary>What it remembers, by name, in a fixed order. A resumed training copies into these tensors.</summary>
    IEnumerable<(string Name, Tensor Value)> State { get; }

    /// <summary>All parameters that it changes.</summary>
    IEnumerable<Parameter> Parameters { get; }

    /// <summary>Changes every parameter that has a gradient.</summary>
    /// <param name="rate">The learning rate, before <see cref="ParameterGroup.RateScale"/>.</param>
    /// <param name="decayShare">What the groups' weight decay is multiplied with, where that has a schedule.</param>
    void Step(double rate, double decayShare = 1);
}

/// <summary>Parameters that the optimizer treats alike.</summary>
/// <param name="Parameters">What is trained.</param>
/// <param name="WeightDecay">The weight decay.</param>
/// <param name="RateScale">Multiplies the schedule's rate, as layer-wise decay wants it.</param>
internal sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay, double RateScale = 1);
