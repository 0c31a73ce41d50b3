namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Trains a trial and scores it, and tells the study how it ended.</summary>
/// <param name="context">Measures.</param>
/// <param name="store">The study.</param>
/// <param name="metric">What a trial is scored by.</param>
/// <param name="pruner">Ends trials early, if any does.</param>
/// <param name="report">Told when the trial begins, after each of its epochs, and when it ends.</param>
internal sealed class TrialRun(MLContext context, StudyStore store, SweepMetric metric, IPruner? pruner, Action<SweepTrial> report)
{
    /// <param name="trial">A trial that is this worker's.</param>
    /// <param name="folds">What it is trained on and scored on; its score is the mean. Pruning looks at the first.</param>
    /// <param name="estimator">Makes the estimator. It gives its argument the options of the package's trainers before it makes them.</param>
    /// <param name="stop">Stops the training; the trial is then scored as it stands.</param>
    /// <returns>
    /// The trial as it ended, and the model of the last fold, which is the caller's; null where the trial was pruned, its score is no
    /// number, or the study has given it to another worker.
    /// </returns>
    /// <exception cref="OperationCanceledException">It was stopped before it had learnt anything; the study has it back.</exception>
    /// <exception cref="Exception">What the trial threw; the study knows that it failed.</exception>
    public (SweepTrial Trial, ITransformer? Model) Run(
        SweepTrial trial, IReadOnlyList<(IDataView Train, IDataView Validation)> folds, Func<Action<TrainerOptions>, IEstimator<ITransformer>> estimator, CancellationToken stop)
    {
        report(trial);
        var watch = new TrialWatch(trial, store, pruner, report);
        ITransformer? model = null;
        try
        {
            stop.ThrowIfCancellationRequested();
            var scores = new List<double>();
            foreach (var (train, validation) in folds)
            {
                (model as IDisposable)?.Dispose();
                var isFirst = scores.Count == 0;
                model = estimator(trainer => (trainer.CancellationToken, trainer.Watch) = (stop, isFirst ? watch : null)).Fit(train);
                if (watch.IsPruned || watch.IsLost)
                    break;
                if (stop.IsCancellationRequested && folds.Count > 1)
                    throw new OperationCanceledException(stop);
                scores.Add(metric.Measure(context, model.Transform(validation)));
            }

            if (watch.IsLost)
                return (watch.Trial, null);
            if (watch.IsPruned)
                return (Finish(SweepTrialState.Pruned, null), null);
            if (!double.IsFinite(scores.Average()))
                return (Finish(SweepTrialState.Failed, null, $"The {metric.Name} is {scores.Average()}."), null);

            var ended = Finish(watch.IsCut ? SweepTrialState.Stopped : SweepTrialState.Complete, scores.Average());
            if (!ended.IsOver)
                return (ended, null);
            var trained = model;
            model = null;       // it is no longer ours
            return (ended, trained);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            store.Release(trial);
            throw;
        }
        catch (Exception error)
        {
            Finish(SweepTrialState.Failed, null, $"{error.GetType().Name}: {error.Message}");
            throw;
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
            var ended = watch.Trial with { State = state, Score = score, Error = error };
            report(ended);
            return ended;
        }
    }
}
