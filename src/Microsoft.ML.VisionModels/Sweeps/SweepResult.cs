namespace Microsoft.ML.VisionModels;

/// <summary>The result of a sweep. It owns the model.</summary>
public sealed class SweepResult : IDisposable
{
    private readonly Func<SweepTrial, IDataView, ITransformer> _fit;

    internal SweepResult(SweepStudy study, ITransformer? model, Func<SweepTrial, IDataView, ITransformer> fit) => (Study, Model, _fit) = (study, model, fit);

    /// <summary>The study with all its trials.</summary>
    public SweepStudy Study { get; }

    /// <summary>The best trial; null where no trial has a score.</summary>
    public SweepTrial? Best => Study.Best;

    /// <summary>
    /// The model of the best trial; after cross-validation a model that was trained on all rows with its hyper-parameters. Null where the model
    /// was trained by another process or an earlier run, or where cross-validation was canceled. <see cref="SweepOptions.ModelPath"/> keeps
    /// the model in a file, and <see cref="Refit"/> trains it again.
    /// </summary>
    public ITransformer? Model { get; }

    /// <summary>Trains the estimator of the best trial on the given rows. The caller owns the model.</summary>
    /// <exception cref="InvalidOperationException">There is no best trial.</exception>
    public ITransformer Refit(IDataView rows) => _fit(Best ?? throw new InvalidOperationException("No trial of the study has a score."), rows);

    /// <summary>Frees the model.</summary>
    public void Dispose() => (Model as IDisposable)?.Dispose();
}
