using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>What the loop needs to know of a model and its data. Epochs and steps count from 0.</summary>
internal interface ITrainingTask
{
    nn.Module Network { get; }

    IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    int StepsPerEpoch { get; }

    int SamplesPerEpoch { get; }

    /// <summary>Called before an epoch's first step, with the network in training mode: the place to shuffle.</summary>
    void StartEpoch(int epoch);

    /// <summary>The loss of a step's batch: a scalar with a graph. Tensors made here are freed when the step ends.</summary>
    Tensor Loss(int step);

    /// <summary>Judges the network on the validation rows; null where there are none. Called in evaluation mode, without gradients, in a dispose scope.</summary>
    /// <exception cref="OperationCanceledException">Cancelled on the way.</exception>
    ValidationResult? Validate(CancellationToken cancellation);
}
