using System.Runtime.ExceptionServices;
using Microsoft.ML.AutoML;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Sweeps;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>
/// Runs a trial: tells the study of every epoch, ends it in the middle where it is not worth finishing, and frees the model that is
/// beaten. A trial whose time is up is scored as it stands. AutoML makes a runner for each trial.
/// </summary>
/// <param name="session">The experiment's run.</param>
/// <param name="context">The trial's own. It is not canceled at the trial's end, as a model that is kept was made in it.</param>
/// <param name="pipeline">What is trained.</param>
/// <param name="data">What on.</param>
internal sealed class StudyTrialRunner(StudySession session, MLContext context, SweepablePipeline pipeline, IDatasetManager data) : ITrialRunner
{
    // As AutoML's own runner does, on the caller's thread.
    public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct) => Task.FromResult<TrialResult>(Run(settings, ct));

    public void Dispose()
    {
    }

    private SweepTrialResult Run(TrialSettings settings, CancellationToken ct)
    {
        if (session.IsDone)
            throw new OperationCanceledException("The study has all of its trials.", ct);
        var trial = session.Begin(settings);
        var folds = Folds(settings);
        var hasTrainer = false;
        // A trainer of this package stops by the token, and the trial goes on to be scored; others know no more than their context.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, session.CancellationToken);
        using var registration = stop.Token.Register(() =>
        {
            if (!hasTrainer)
                HostCancellation.Cancel(context);
        });
        var (ended, model, error) = new TrialRun(context, session.Store, session.Metric, session.Pruner, session.Report).Run(trial, folds, Estimator, stop.Token);
        if (error is not null)
            ExceptionDispatchInfo.Throw(error);
        if (ended.State == SweepTrialState.Waiting)
            throw new OperationCanceledException("The trial had learned nothing yet.", stop.Token);
        return session.ResultOf(settings, ended, model, folds[0].Train.Schema);

        IEstimator<ITransformer> Estimator(Action<TrainerOptions> attach)
        {
            TrialContext.Wish(context, trainer =>
            {
                hasTrainer = true;
                attach(trainer);
            });
            return pipeline.BuildFromOption(context, settings.Parameter[PipelineSpace.Pipeline]);
        }
    }

    private IReadOnlyList<(IDataView Train, IDataView Validation)> Folds(TrialSettings settings) => data switch
    {
        ITrainValidateDatasetManager split => [(split.LoadTrainDataset(context, settings), split.LoadValidateDataset(context, settings))],
        ICrossValidateDatasetManager folds => [.. context.Data.CrossValidationSplit(folds.Dataset, folds.Fold, folds.SamplingKeyColumnName).Select(fold => (fold.TrainSet, fold.TestSet))],
        _ => throw new InvalidOperationException("The experiment has no data; give it some with SetDataset."),
    };
}
