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
    /// What a snapshot keeps of the task beside its network, by name, such as a teacher's weights. A resumed training copies into
    /// these tensors.
    /// </summary>
    IEnumerable<(string Name, Tensor Value)> State => [];

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

    /// <summary>Called when the gradients of a step are complete, before they are clipped and used: the place to leave some out.</summary>
    void AfterGradients(int epoch) { }

    /// <summary>Called after each change of the weights, in a dispose scope and without gradients: the place for a teacher's average.</summary>
    /// <param name="step">The step that is done, counted through all epochs; where time is the shorter budget, as far as the time is.</param>
    /// <param name="totalSteps">The steps of the whole training.</param>
    void AfterStep(long step, long totalSteps) { }

    /// <summary>Judges the network on the validation rows; null where there are none. Called in evaluation mode, without gradients, in a dispose scope.</summary>
    /// <exception cref="OperationCanceledException">Canceled on the way.</exception>
    ValidationResult? Validate(CancellationToken cancellation);
}

/// <summary>Is told where the loop stands. Whatever is not the bare loop is one of these.</summary>
internal interface ITrainingCallback
{
    void OnTrainBegin(TrainingState state) { }

    /// <summary>After the weights changed.</summary>
    void OnStepEnd(TrainingState state) { }

    /// <summary>After an epoch and its validation; true asks for a stop.</summary>
    bool OnEpochEnd(TrainingState state) => false;

    /// <summary>After the last step, canceled or not; not after an exception.</summary>
    void OnTrainEnd(TrainingState state) { }
}
