using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Keeps the best model of a sweep, and frees all others as soon as they are known to be worse.</summary>
internal sealed class BestModel : IDisposable
{
    private readonly Lock _lock = new();
    private readonly MLContext _context;
    private readonly StudyStore _store;
    private readonly DataViewSchema _schema;
    private readonly string? _path;
    private ITransformer? _model;
    private int _trial = -1;

    /// <param name="context">The context that saves the model.</param>
    /// <param name="store">The study.</param>
    /// <param name="schema">The schema of the rows that the model takes.</param>
    /// <param name="path">The file for the model, whose folder is created; null for none.</param>
    public BestModel(MLContext context, StudyStore store, DataViewSchema schema, string? path)
    {
        (_context, _store, _schema, _path) = (context, store, schema, path is null ? null : Path.GetFullPath(path));
        if (_path is not null)
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
    }

    /// <summary>
    /// Writes the model of a trial that will be the best under a temporary name, before the trial's score is stored. After the score is
    /// stored, the file only needs to be renamed, so a crash can hardly leave a best score without its model.
    /// </summary>
    public void Prepare(SweepTrial trial, double score, ITransformer model)
    {
        if (_path is null || _store.History() is var history && history.Best?.Score is { } best && (history.HigherIsBetter ? score <= best : score >= best))
            return;
        using var file = File.Create(TemporaryPath(trial));
        _context.Model.Save(model, _schema, file);
    }

    /// <summary>Takes the model of a finished trial: keeps it if the trial is the best of the study, and frees it otherwise.</summary>
    public void Offer(SweepTrial trial, ITransformer model)
    {
        lock (_lock)
        {
            try
            {
                if (_store.History().Best?.Number != trial.Number)
                    return;
                Free(_model);
                (_model, _trial) = (model, trial.Number);
                if (_path is not null && File.Exists(TemporaryPath(trial)))
                    File.Move(TemporaryPath(trial), _path, overwrite: true);
            }
            finally
            {
                if (_model != model)
                    Free(model);
                if (_path is not null)
                    File.Delete(TemporaryPath(trial));
            }
        }
    }

    /// <summary>Keeps a model as the best one, and saves it.</summary>
    public void Keep(SweepTrial trial, ITransformer model)
    {
        Free(_model);
        (_model, _trial) = (model, trial.Number);
        if (_path is not null)
            AtomicFile.Write(_path, file => _context.Model.Save(model, _schema, file));
    }

    /// <summary>Hands over the model to the caller, if it is that of this trial.</summary>
    public ITransformer? Take(SweepTrial? trial)
    {
        if (trial is null || trial.Number != _trial)
            return null;
        (var model, _model) = (_model, null);
        return model;
    }

    public void Dispose() => Free(_model);

    private string TemporaryPath(SweepTrial trial) => $"{_path}.{trial.Number}-{trial.Attempts}.tmp";

    private static void Free(ITransformer? model) => (model as IDisposable)?.Dispose();
}
