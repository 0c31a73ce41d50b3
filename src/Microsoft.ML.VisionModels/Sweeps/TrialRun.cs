using System.Data.Common;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Pruners;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Trains a trial and scores it, and tells the study how it ended.</summary>
/// <param name="context">Measures.</param>
/// <param name="store">The study.</param>
/// <param name="metric">What a trial is scored by.</param>
/// <param name="pruner">Ends trials early, if any does.</param>
/// <param name="report">Told when the trial begins, after each of its epochs, and when it ends. What it throws is no fault of the trial.</param>
internal sealed class TrialRun(MLContext context, StudyStore store, SweepMetric metric, IPruner? pruner, Action<SweepTrial> report)
{
    private Exception? _fault;      // of the report

    /// <param name="trial">A trial that is this worker's.</param>
    /// <param name="folds">What it is trained on and scored on; its score is the mean. Pruning looks at the first.</param>
    /// <param name="estimator">Makes the estimator. It gives its argument the options of the package's trainers before it makes them.</param>
    /// <param name="stop">Stops the training; the trial is then scored as it stands, or goes back where it had learned nothing yet.</param>
    /// <param name="scored">Told of the score and the model before the study is; null for nobody.</param>
    /// <returns>
    /// The trial as it ended; the model of the last fold, which is the caller's, of a trial with a score; and what the trial threw,
    /// if it did.
    /// </returns>
    /// <exception cref="DbException">The study cannot be reached. The trial goes back when its silence is noticed.</exception>
    public (SweepTrial Trial, ITransformer? Model, Exception? Error) Run(
        SweepTrial trial, IReadOnlyList<(IDataView Train, IDataView Validation)> folds, Func<Action<TrainerOptions>, IEstimator<ITransformer>> estimator,
        CancellationToken stop, Action<double, ITransformer>? scored = null)
    {
        using var heart = new Heartbeat(store, trial);
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
            var ended = Finish(watch.IsCut ? SweepTrialState.Stopped : SweepTrialState.Complete, score);
            if (!ended.IsOver)
                return (ended, null, null);
            var trained = model;
            model = null;       // it is no longer ours
            return (ended, trained, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return (Release(), null, null);
        }
        catch (Exception error) when (error == _fault || error.InnerException == _fault && _fault is not null)
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

        // Where the study has given the trial to another, it goes on there.
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
                _fault = error;
                throw;
            }
        }
    }
}
