using TorchSharp.Modules;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Parameters that the optimizer treats alike.</summary>
/// <param name="Parameters">What is trained.</param>
/// <param name="WeightDecay">The decoupled weight decay.</param>
/// <param name="LearningRateScale">Multiplies the schedule's learning rate, as layer-wise decay wants it.</param>
internal sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay, double LearningRateScale = 1);
