using System.Data.Common;
using System.Diagnostics;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Trains a trial, scores it, and stores the result in the study.</summary>
/// <param name="context">The context that measures the score.</param>
/// <param name="store">The study.</param>
/// <param name="metric">The metric of the score.</param>
/// <param name="pruner">The pruner, which ends trials early; null for none.</param>
/// <param name="report">Called when the trial begins, after each of its epochs, and when it ends. If it throws, the trial does not count as failed.</param>
internal sealed class TrialRun(MLContext context, StudyStore store, SweepMetric metric, IPruner? pruner, Action<SweepTrial> report)
{
    private Exception? _reportError;      // the exception that the report threw

    /// <param name="trial">A trial that this worker has claimed.</param>
    /// <param name="folds">The rows to train on and to score on; the score is the mean over the folds. Only the first fold is pruned.</param>
    /// <param name="estimator">Creates the estimator. It passes the options of this package's trainers to its argument before it creates them.</param>
    /// <param name="stop">Stops the training. The trial is then scored as it stands or, if there is nothing to score yet, can be claimed again.</param>
    /// <param name="scored">Called with the score and the model before the score is stored; null for none.</param>
    /// <returns>
    /// The trial as it ended; for a trial with a score the model of the last fold, which the caller owns; and the exception of a trial that
    /// failed.
    /// </returns>
    /// <exception cref="DbException">The study cannot be reached. Without heartbeats, the trial can be claimed again after some time.</exception>
    public (SweepTrial Trial, ITransformer? Model, Exception? Error) Run(
        SweepTrial trial, IReadOnlyList<(IDataView Train, IDataView Validation)> folds, Func<Action<TrainerOptions>, IEstimator<ITransformer>> estimator,
        CancellationToken stop, Action<double, ITransformer>? scored = null)
    {
        using var heartbeat = new Heartbeat(store, trial);
        var watch = new TrialWatch(trial, store, pruner, Report);
        ITransformer? model = null;
        try
        {
            Report(trial);
            stop.ThrowIfCancellationRequested();
            var scores = new List<double>();
            foreach (var (train, validation) in folds)
            {
                (model as IDisposable)?.Dispose();
                var isFirst = scores.Count == 0;
                model = estimator(trainer => (trainer.CancellationToken, trainer.Watch) = (stop, isFirst ? watch : null)).Fit(train);
                if (watch.IsPruned || watch.IsLost)
                    break;
                if (folds.Count > 1)
                    stop.ThrowIfCancellationRequested();
                scores.Add(metric.Measure(context, model.Transform(validation)));
            }

            if (watch.IsLost)
                return (watch.Trial, null, null);
            if (watch.IsPruned)
                return (Finish(SweepTrialState.Pruned, null), null, null);
            var score = scores.Average();
            if (!double.IsFinite(score))
                return (Finish(SweepTrialState.Failed, null, $"The {metric.Name} is {score}."), null, null);

            scored?.Invoke(score, model!);
            var ended = Finish(watch.WasCanceled ? SweepTrialState.Stopped : SweepTrialState.Complete, score);
            if (!ended.IsOver)
                return (ended, null, null);
            var trained = model;
            model = null;       // the caller owns it now
            return (ended, trained, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return (Release(), null, null);
        }
        catch (Exception error) when (error == _reportError || error.InnerException == _reportError && _reportError is not null)
        {
            Release();
            throw;
        }
        catch (Exception error) when (error is not DbException)
        {
            return (Finish(SweepTrialState.Failed, null, $"{error.GetType().Name}: {error.Message}"), null, error);
        }
        finally
        {
            (model as IDisposable)?.Dispose();
        }

        // Where the study has given the trial to another worker, its result does not count.
        SweepTrial Finish(SweepTrialState state, double? score, string? error = null)
        {
            if (!store.Finish(trial, state, score, error))
                return watch.Trial;
            var ended = watch.Trial with { State = state, Score = score, Error = error, Duration = watch.Elapsed };
            Report(ended);
            return ended;
        }

        SweepTrial Release()
        {
            store.Release(trial);
            return watch.Trial with { State = SweepTrialState.Waiting };
        }

        void Report(SweepTrial now)
        {
            try
            {
                report(now);
            }
            catch (Exception error)
            {
                _reportError = error;
                throw;
            }
        }
    }
}

/// <summary>A callback in the training of a trial, which stores every epoch in the study and lets the pruner end the training.</summary>
internal sealed class TrialWatch(SweepTrial trial, StudyStore store, IPruner? pruner, Action<SweepTrial> report) : ITrainingCallback
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>The trial with its epochs so far.</summary>
    public SweepTrial Trial { get; private set; } = trial;

    public bool IsPruned { get; private set; }

    /// <summary>Whether the study has given the trial to another worker, because this one seemed to be dead.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether the training was canceled before its end.</summary>
    public bool WasCanceled { get; private set; }

    public void OnTrainEnd(TrainingState state) => WasCanceled = state.StopReason == StopReason.Canceled;

    public bool OnEpochEnd(TrainingState state)
    {
        if (state.BestValidation is not { Score: { } best } || !double.IsFinite(best))
            return false;
        var epoch = new SweepEpoch(state.Epoch + 1, best, _clock.Elapsed.TotalSeconds);
        Trial = Trial with { Epochs = [.. Trial.Epochs, epoch], Duration = _clock.Elapsed };
        IsLost = !store.Report(Trial, epoch);
        report(Trial);
        if (IsLost)
            return true;
        IsPruned = pruner?.ShouldStop(Trial, state.TotalEpochs, [.. store.Trials().Where(other => other.Number != Trial.Number)]) == true;
        return IsPruned;
    }
}

/// <summary>Regularly tells the study that the worker of a trial is alive, until it is disposed of.</summary>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private readonly StudyStore _store;
    private readonly SweepTrial _trial;
    private readonly Timer _timer;

    public Heartbeat(StudyStore store, SweepTrial trial)
    {
        (_store, _trial) = (store, trial);
        _timer = new(_ => Send());
        ScheduleNext();
    }

    public void Dispose()
    {
        // A heartbeat that is being stored still needs the store.
        using var done = new ManualResetEvent(false);
        if (_timer.Dispose(done))
            done.WaitOne();
    }

    /// <summary>Stores a heartbeat. Errors are ignored: the next heartbeat may succeed, and if not, storing the trial's result will fail as well.</summary>
    private void Send()
    {
        try
        {
            _store.Beat(_trial);
        }
        catch (DbException)
        {
        }
        ScheduleNext();
    }

    // The timer runs once each time, so that slow heartbeats do not overlap.
    private void ScheduleNext()
    {
        try
        {
            _timer.Change(s_interval, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
