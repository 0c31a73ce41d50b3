namespace Microsoft.ML.VisionModels;

/// <summary>What a sweep has found. It owns the model.</summary>
public sealed class SweepResult : IDisposable
{
    private readonly Func<SweepTrial, IDataView, ITransformer> _fit;

    internal SweepResult(SweepStudy study, ITransformer? model, Func<SweepTrial, IDataView, ITransformer> fit) => (Study, Model, _fit) = (study, model, fit);

    /// <summary>The study with all its trials.</summary>
    public SweepStudy Study { get; }

    /// <summary>The best trial; null where no trial has a score.</summary>
    public SweepTrial? Best => Study.Best;

    /// <summary>
    /// The best trial's model; after cross-validation one that was trained on all rows with its hyper-parameters. Null where another
    /// process, or an earlier run, made it, or cross-validation was canceled: <see cref="SweepOptions.ModelPath"/> keeps it in a file, and <see cref="Refit"/> trains it again.
    /// </summary>
    public ITransformer? Model { get; }

    /// <summary>Trains the best trial's estimator on these rows; the caller owns the model.</summary>
    /// <exception cref="InvalidOperationException">There is no best trial.</exception>
    public ITransformer Refit(IDataView rows) => _fit(Best ?? throw new InvalidOperationException("No trial of the study has a score."), rows);

    /// <summary>Frees the model.</summary>
    public void Dispose() => (Model as IDisposable)?.Dispose();
}
