using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels;

/// <summary>A search for good hyper-parameters. Made by <c>mlContext.Vision().Sweep</c>.</summary>
public sealed class Sweep
{
    private readonly MLContext _context;
    private readonly SweepOptions _options;
    private readonly IReadOnlyDictionary<string, SweepCandidate> _candidates;

    internal Sweep(MLContext context, SweepOptions options, IReadOnlyList<SweepCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(candidates);
        options.Validate();
        options.RequireEnd();
        if (candidates.Count == 0)
            throw new ArgumentException("A sweep needs a candidate.", nameof(candidates));
        if (candidates.GroupBy(candidate => candidate.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two candidates are named '{twice.Key}'; give one of them another name.", nameof(candidates));
        (_context, _options, _candidates) = (context, options.Copy(), candidates.ToDictionary(candidate => candidate.Name));
    }

    /// <summary>Runs trials until the budget is used up. Each is trained on one set of rows and scored on another.</summary>
    /// <param name="train">The rows to train on. A trainer holds out a part of them, by which it chooses its best epoch, and by which trials are pruned.</param>
    /// <param name="validation">The rows to score on.</param>
    /// <exception cref="InvalidOperationException">The first five trials failed (the inner exception is that of the last one), or the stored study searches something else.</exception>
    public SweepResult Run(IDataView train, IDataView validation)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(validation);
        return Run(train, [(train, validation)]);
    }

    /// <summary>
    /// Like <see cref="Run(IDataView, IDataView)"/>, but each trial is trained and scored once for each fold, and its score is the mean. Trials
    /// are pruned in the first fold. In the end, a model with the best hyper-parameters is trained on all rows.
    /// </summary>
    /// <param name="rows">The rows.</param>
    /// <param name="folds">The number of folds; at least 2.</param>
    /// <param name="samplingKeyColumnName">A column; rows with equal values are in the same fold. Null distributes every row by itself.</param>
    public SweepResult CrossValidate(IDataView rows, int folds = 5, string? samplingKeyColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        OptionChecks.Require(folds, folds >= 2, "at least 2");
        var split = _context.Data.CrossValidationSplit(rows, folds, samplingKeyColumnName, _options.Seed);
        return Run(rows, [.. split.Select(fold => (fold.TrainSet, fold.TestSet))]);
    }

    private SweepResult Run(IDataView rows, IReadOnlyList<(IDataView Train, IDataView Validation)> folds)
    {
        var space = new Space([.. _candidates.Values.Select(candidate => candidate.Branch)]);
        using var store = StudyStore.Open(_options.Storage, _options.Study, space, _options.Metric.Name, _options.Metric.HigherIsBetter);
        using var best = new BestModel(_context, store, rows.Schema, _options.ModelPath);
        new SweepRunner(_context, store, _options, _candidates, folds, best).Run();

        var study = new SweepStudy(store);
        if (folds.Count > 1 && study.Best is { } trial && !_options.CancellationToken.IsCancellationRequested)
            best.Keep(trial, Fit(trial, rows, _options.CancellationToken));
        return new(study, best.Take(study.Best), (trial, rows) => Fit(trial, rows, default));
    }

    private ITransformer Fit(SweepTrial trial, IDataView rows, CancellationToken cancellation) =>
        _candidates[trial.Candidate].Create(trial.Parameters, trainer => trainer.CancellationToken = cancellation).Fit(rows);
}
