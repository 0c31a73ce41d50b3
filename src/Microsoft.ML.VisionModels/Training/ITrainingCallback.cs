namespace Microsoft.ML.VisionModels.Training;

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
