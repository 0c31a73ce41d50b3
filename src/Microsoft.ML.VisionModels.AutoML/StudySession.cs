using Microsoft.ML.AutoML;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using AutoMLSpace = Microsoft.ML.SearchSpace.SearchSpace;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>A run of an experiment: the study that it is written down in, the trial that is running, and the one model that is kept.</summary>
internal sealed class StudySession : IDisposable
{
    private readonly string _worker = Worker.NewName();
    private readonly SweepOptions _options;
    private readonly PipelineSpace _space;
    private readonly Proposer _proposer;
    private (TrialSettings Settings, SweepTrial Trial)? _latest;    // AutoML runs one after the other
    private SweepTrialResult? _best;
    private double _worst = double.MaxValue;

    /// <param name="context">Gives the seed, and saves the best model.</param>
    /// <param name="space">What the experiment searches.</param>
    /// <param name="pipeline">What it searches over.</param>
    /// <param name="options">How to search.</param>
    /// <param name="metric">The experiment's metric; null takes that of the options.</param>
    public StudySession(MLContext context, AutoMLSpace space, SweepablePipeline pipeline, SweepOptions options, IEvaluateMetricManager? metric)
    {
        (Context, _options, _space, _proposer) = (context, options, new(space, pipeline), new(context, options));
        Metric = metric is null ? options.Metric : SweepMetric.Of(metric.MetricName, metric.Evaluate, metric.IsMaximize);
        Pruner = IPruner.Of(options);
        Store = StudyStore.Open(options.Storage, options.Study, _space.Space, Metric.Name, Metric.HigherIsBetter);
    }

    public MLContext Context { get; }

    public SweepMetric Metric { get; }

    public IPruner? Pruner { get; }

    public StudyStore Store { get; }

    /// <summary>The user's, beside that of the experiment.</summary>
    public CancellationToken CancellationToken => _options.CancellationToken;

    /// <summary>Whether there is nothing left to try.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The hyper-parameters of a new trial of the study.</summary>
    /// <exception cref="InvalidOperationException">The study was complete before this run began.</exception>
    public Parameter Propose(TrialSettings settings)
    {
        if (Store.Claim(_worker, _options.Trials ?? int.MaxValue, _proposer.Propose).Trial is { } trial)
        {
            _latest = (settings, trial);
            return _space.ToParameter(trial);
        }
        if (_latest is null)
            throw new InvalidOperationException($"The study '{Store.Name}' in {Store.Place} has all of its trials already. Raise {nameof(SweepOptions.Trials)}, or name another study.");
        IsDone = true;
        return _space.Default();
    }

    /// <summary>The study's trial for AutoML's: the one proposed, or, where another tuner has proposed it, one that is begun now.</summary>
    public SweepTrial Begin(TrialSettings settings)
    {
        if (_latest?.Settings != settings)
            _latest = (settings, Store.Begin(_worker, _space.ToProposal(settings.Parameter)));
        return _latest.Value.Trial;
    }

    /// <summary>Writes down how a trial ended, where this is not known yet: another runner may have run it.</summary>
    public void End(TrialSettings settings, SweepTrialState state, double? score, string? error = null)
    {
        if (IsDone)
            return;
        if (score is { } number && !double.IsFinite(number))
            (state, score, error) = (SweepTrialState.Failed, null, $"The {Metric.Name} is {number}.");
        var trial = Begin(settings);
        if (Store.Finish(trial, state, score, error))
            Report(trial with { State = state, Score = score, Error = error });
    }

    public void Report(SweepTrial trial) => _options.Report(trial, Store);

    /// <summary>A trial's result for AutoML. Of all models the best is kept, and the others are freed.</summary>
    public SweepTrialResult ResultOf(TrialSettings settings, SweepTrial trial, ITransformer? model, DataViewSchema schema)
    {
        // AutoML takes any lower loss for the best. What has no model is as bad as the worst that has one, and until there is one as
        // bad as can be: tuners shun it, and it is never the best.
        var score = trial.Score ?? double.NaN;
        var loss = model is null ? _worst : Metric.HigherIsBetter ? -score : score;
        var result = new SweepTrialResult(this, trial) { TrialSettings = settings, Loss = loss, Metric = score, DurationInMilliseconds = (DateTime.UtcNow - settings.StartedAtUtc).TotalMilliseconds };
        if (model is null)
            return result;

        _worst = _best is null ? loss : Math.Max(_worst, loss);
        if (_best is not null && loss >= _best.Loss)
        {
            (model as IDisposable)?.Dispose();
            return result;
        }
        _best?.FreeModel();
        (_best, result.Model) = (result, model);
        if (_options.ModelPath is { } path && Store.History().Best?.Number == trial.Number)
            AtomicFile.Write(path, file => Context.Model.Save(model, schema, file));
        return result;
    }

    public void Dispose() => Store.Dispose();
}
