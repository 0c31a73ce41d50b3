using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>The one model that a sweep keeps: whatever is beaten is freed at once.</summary>
/// <param name="context">Saves the model.</param>
/// <param name="store">The study.</param>
/// <param name="schema">Of the rows that the model is for.</param>
/// <param name="path">The file to keep it in, if any.</param>
internal sealed class BestModel(MLContext context, StudyStore store, DataViewSchema schema, string? path) : IDisposable
{
    private readonly Lock _lock = new();
    private ITransformer? _model;
    private int _trial = -1;

    /// <summary>Takes the model of a trial that is over: it is kept if it is the study's best, and freed otherwise.</summary>
    public void Offer(SweepTrial trial, ITransformer model)
    {
        lock (_lock)
        {
            if (store.History().Best?.Number != trial.Number)
            {
                Free(model);
                return;
            }
            Keep(trial, model);
        }
    }

    /// <summary>Makes this the best model.</summary>
    public void Keep(SweepTrial trial, ITransformer model)
    {
        Free(_model);
        (_model, _trial) = (model, trial.Number);
        if (path is not null)
            AtomicFile.Write(path, file => context.Model.Save(model, schema, file));
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

    private static void Free(ITransformer? model) => (model as IDisposable)?.Dispose();
}
