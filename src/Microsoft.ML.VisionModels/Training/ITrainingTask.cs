using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>What the loop needs to know of a model and its data. Epochs and steps count from 0.</summary>
internal interface ITrainingTask
{
    nn.Module Network { get; }

    IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    int StepsPerEpoch { get; }

    int SamplesPerEpoch { get; }

    /// <summary>What the data are, by name: a training is only resumed on the same.</summary>
    IReadOnlyDictionary<string, string> Identity => new Dictionary<string, string>();

    /// <summary>Random numbers that run through the whole training, such as dropout's: a resumed one goes on with them.</summary>
    IReadOnlyList<Generator> Generators => [];

    /// <summary>
    /// Called before an epoch's first step, with the network in training mode: the place to shuffle. A resumed epoch begins at
    /// <paramref name="firstStep"/>, which may be beyond its last.
    /// </summary>
    void StartEpoch(int epoch, int firstStep);

    /// <summary>
    /// The loss of one part of a step's batch, a scalar with a graph; the losses of all <paramref name="parts"/> sum up to the
    /// batch's. Null for a part that has no rows. Tensors made here are freed when the part ends. Asked for in order: part by part,
    /// step by step.
    /// </summary>
    Tensor? Loss(int step, int part, int parts);

    /// <summary>Judges the network on the validation rows; null where there are none. Called in evaluation mode, without gradients, in a dispose scope.</summary>
    /// <exception cref="OperationCanceledException">Canceled on the way.</exception>
    ValidationResult? Validate(CancellationToken cancellation);
}
