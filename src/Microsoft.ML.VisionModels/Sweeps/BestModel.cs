using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>The one model that a sweep keeps: whatever is beaten is freed at once.</summary>
internal sealed class BestModel : IDisposable
{
    private readonly Lock _lock = new();
    private readonly MLContext _context;
    private readonly StudyStore _store;
    private readonly DataViewSchema _schema;
    private readonly string? _path;
    private ITransformer? _model;
    private int _trial = -1;

    /// <param name="context">Saves the model.</param>
    /// <param name="store">The study.</param>
    /// <param name="schema">Of the rows that the model is for.</param>
    /// <param name="path">The file to keep it in, if any; its folder is made.</param>
    public BestModel(MLContext context, StudyStore store, DataViewSchema schema, string? path)
    {
        (_context, _store, _schema, _path) = (context, store, schema, path is null ? null : Path.GetFullPath(path));
        if (_path is not null)
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
    }

    /// <summary>
    /// Before a trial's end is written down, writes its model beside the file, if it would be the best: should the process end
    /// between the two, no score is without its model for longer than a file takes to be renamed.
    /// </summary>
    public void Prepare(SweepTrial trial, double score, ITransformer model)
    {
        if (_path is null || _store.History() is var history && history.Best?.Score is { } best && (history.HigherIsBetter ? score <= best : score >= best))
            return;
        using var file = File.Create(Prepared(trial));
        _context.Model.Save(model, _schema, file);
    }

    /// <summary>Takes the model of a trial that is over: it is kept if it is the study's best, and freed otherwise.</summary>
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
                if (_path is not null && File.Exists(Prepared(trial)))
                    File.Move(Prepared(trial), _path, overwrite: true);
            }
            finally
            {
                if (_model != model)
                    Free(model);
                if (_path is not null)
                    File.Delete(Prepared(trial));
            }
        }
    }

    /// <summary>Makes this the best model.</summary>
    public void Keep(SweepTrial trial, ITransformer model)
    {
        Free(_model);
        (_model, _trial) = (model, trial.Number);
        if (_path is not null)
            AtomicFile.Write(_path, file => _context.Model.Save(model, _schema, file));
    }

    /// <summary>Hands the model over, if it is this trial's.</summary>
    public ITransformer? Take(SweepTrial? trial)
    {
        if (trial is null || trial.Number != _trial)
            return null;
        (var model, _model) = (_model, null);
        return model;
    }

    public void Dispose() => Free(_model);

    private string Prepared(SweepTrial trial) => $"{_path}.{trial.Number}-{trial.Attempts}.tmp";

    private static void Free(ITransformer? model) => (model as IDisposable)?.Dispose();
}
