using System.Globalization;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Writes training into ML.NET's log: a line per epoch, why it ended, and a progress channel.</summary>
internal sealed class TrainingLog(IHostEnvironment environment) : ITrainingCallback, IDisposable
{
    private readonly IChannel _channel = environment.Start("Training");
    private readonly IProgressChannel _progress = environment.StartProgressChannel("Training");

    public void OnTrainBegin(TrainingState state)
    {
        var header = new ProgressHeader(["Loss", "Learning rate"], ["epochs", "steps"]);
        // ML.NET asks from its own thread; these are plain numbers, never tensors.
        _progress.SetHeader(header, entry =>
        {
            entry.SetMetric(0, state.MeanLoss);
            entry.SetMetric(1, state.LearningRate);
            entry.SetProgress(0, state.Epoch, state.TotalEpochs);
            entry.SetProgress(1, state.Step, state.StepsPerEpoch);
        });
    }

    public bool OnEpochEnd(TrainingState state)
    {
        var epoch = state.Epochs[^1];
        var metrics = epoch.ValidationMetrics.Select(m => Text($"{m.Key} {m.Value:F4}"));
        var parts = epoch.ValidationLoss is { } loss ? metrics.Prepend(Text($"validation loss {loss:F4}")) : metrics;
        MLNet.Info(_channel, string.Join(", ", parts.Prepend(Text($"Epoch {epoch.Epoch}/{state.TotalEpochs}: loss {epoch.TrainLoss:F4}"))
            .Append(Text($"learning rate {epoch.LearningRate:G3}, {epoch.Seconds:F1} s"))));
        _progress.Checkpoint(epoch.TrainLoss, epoch.LearningRate, epoch.Epoch);
        return false;
    }

    public void OnTrainEnd(TrainingState state)
    {
        var kept = state.BestEpoch is { } best ? Text($"the weights of epoch {best + 1} are kept") : "the last weights are kept";
        switch (state.StopReason)
        {
            case StopReason.EarlyStopped:
                MLNet.Warning(_channel, Text($"Training stopped early after epoch {state.Epochs.Count} of {state.TotalEpochs}; {kept}."));
                break;
            case StopReason.Canceled:
                MLNet.Warning(_channel, Text($"Training was canceled after {state.Epochs.Count} full epochs; {kept}."));
                break;
            case StopReason.Completed:
                MLNet.Info(_channel, Text($"Trained {state.Epochs.Count} epochs in {state.Elapsed.TotalSeconds:F1} s; {kept}."));
                break;
        }
    }

    public void Dispose()
    {
        _progress.Dispose();
        _channel.Dispose();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
/// <summary>Tells the caller how far training is: after the first step, then at most ten times a second, and at the end of every epoch.</summary>
internal sealed class ProgressReports(IProgress<TrainingProgress> progress) : ITrainingCallback
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.1);
    private TimeSpan? _last;

    public void OnStepEnd(TrainingState state)
    {
        if (_last is not { } last || state.Elapsed - last >= Interval)
            Report(state);
    }

    public bool OnEpochEnd(TrainingState state)
    {
        Report(state);
        return false;
    }

    private void Report(TrainingState state)
    {
        var (elapsed, share) = (state.Elapsed, state.ShareDone);
        _last = elapsed;
        var samples = (double)state.GlobalStep * state.Task.SamplesPerEpoch / state.StepsPerEpoch;
        progress.Report(new(
            state.Epoch + 1, state.TotalEpochs, state.Step, state.StepsPerEpoch,
            state.MeanLoss, state.LearningRate,
            state.LastValidation?.Loss, state.LastValidation?.Metrics ?? new Dictionary<string, double>(),
            samples / elapsed.TotalSeconds, elapsed, elapsed * ((1 - share) / share)));
    }
}
