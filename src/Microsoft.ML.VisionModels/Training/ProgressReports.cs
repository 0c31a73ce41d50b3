namespace Microsoft.ML.VisionModels.Training;

/// <summary>Tells the caller how far training is: after the first step, then at most ten times a second, and at the end of every epoch.</summary>
internal sealed class ProgressReports(IProgress<TrainingProgress> progress) : ITrainingCallback
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.1);
    private TimeSpan? _last;

    public void OnStepEnd(TrainingState state)
    {
        if (_last is not { } last || state.Elapsed - last >= Interval)
            Report(state, state.Step);
    }

    public bool OnEpochEnd(TrainingState state)
    {
        Report(state, state.StepsPerEpoch);
        return false;
    }

    private void Report(TrainingState state, int step)
    {
        var elapsed = state.Elapsed;
        _last = elapsed;
        var done = (long)state.Epoch * state.StepsPerEpoch + step;
        var samples = (double)done * state.Task.SamplesPerEpoch / state.StepsPerEpoch;
        progress.Report(new(
            state.Epoch + 1, state.Options.Epochs, step, state.StepsPerEpoch,
            state.MeanLoss, state.LearningRate,
            state.LastValidation?.Loss, state.LastValidation?.Metrics ?? new Dictionary<string, double>(),
            samples / elapsed.TotalSeconds, elapsed, elapsed * ((double)(state.TotalSteps - done) / done)));
    }
}
