namespace Microsoft.ML.VisionModels.Training;

/// <summary>Stops after <paramref name="patience"/> epochs without a better validation; 0 never stops.</summary>
internal sealed class EarlyStopping(int patience) : ITrainingCallback
{
    public bool OnEpochEnd(TrainingState state) =>
        patience > 0 && state.BestEpoch is { } best && state.Epoch - best >= patience && state.Epoch + 1 < state.Options.Epochs;
}
