using System.Globalization;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>How far a training is.</summary>
/// <param name="Epoch">The current epoch, from 1.</param>
/// <param name="Epochs">The epochs asked for; early stopping may end sooner.</param>
/// <param name="Step">The steps done in this epoch, from 1.</param>
/// <param name="Steps">The steps of an epoch.</param>
/// <param name="Loss">The mean training loss of this epoch so far.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="ValidationLoss">The loss of the last validation; null before the first.</param>
/// <param name="ValidationMetrics">The metrics of the last validation, by name; empty before the first.</param>
/// <param name="SamplesPerSecond">Training rows per second, validation time included.</param>
/// <param name="Elapsed">The time since training began.</param>
/// <param name="Remaining">The time that the remaining steps would take at this speed.</param>
public sealed record TrainingProgress(
    int Epoch,
    int Epochs,
    int Step,
    int Steps,
    double Loss,
    double LearningRate,
    double? ValidationLoss,
    IReadOnlyDictionary<string, double> ValidationMetrics,
    double SamplesPerSecond,
    TimeSpan Elapsed,
    TimeSpan Remaining);

/// <summary>The course of a finished training.</summary>
public sealed class TrainingHistory
{
    internal TrainingHistory(IReadOnlyList<TrainingEpoch> epochs, int? bestEpoch, StopReason stopReason, TimeSpan elapsed, string? snapshotError)
    {
        Epochs = epochs;
        BestEpoch = bestEpoch;
        StopReason = stopReason;
        Elapsed = elapsed;
        SnapshotError = snapshotError;
    }

    /// <summary>The finished epochs in their order.</summary>
    public IReadOnlyList<TrainingEpoch> Epochs { get; }

    /// <summary>The number, from 1, of the epoch with the best validation score, whose weights the model has; null without validation: the model then has the last weights.</summary>
    public int? BestEpoch { get; }

    /// <summary>Why training ended.</summary>
    public StopReason StopReason { get; }

    /// <summary>The time that training took, in all processes that it went through.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Why the last snapshot could not be written to <see cref="TrainerOptions.SnapshotFolder"/>; null where all is well.</summary>
    public string? SnapshotError { get; }
}

/// <summary>What happened in one epoch.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="TrainLoss">The mean loss over the epoch's steps.</param>
/// <param name="ValidationLoss">The loss on the validation rows; null where there are none.</param>
/// <param name="ValidationMetrics">The metrics on the validation rows, by name; empty where there are none.</param>
/// <param name="LearningRate">The learning rate of the epoch's last step.</param>
/// <param name="Seconds">The time that the epoch took, validation included.</param>
public sealed record TrainingEpoch(
    int Epoch,
    double TrainLoss,
    double? ValidationLoss,
    IReadOnlyDictionary<string, double> ValidationMetrics,
    double LearningRate,
    double Seconds);

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>All epochs were done.</summary>
    Completed,

    /// <summary>The validation score did not improve for <see cref="TrainerOptions.EarlyStoppingPatience"/> epochs.</summary>
    EarlyStopped,

    /// <summary>The caller canceled.</summary>
    Canceled,
}

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
