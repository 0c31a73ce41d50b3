using Microsoft.ML.AutoML;
using Microsoft.ML.VisionModels.AutoML;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What an experiment with <c>SetVisionSweep</c> has to say of a trial; the best one's is what it returns. Of all models the best is
/// kept, so that <see cref="TrialResult.Model"/> of the others is null.
/// </summary>
public sealed class SweepTrialResult : TrialResult, IDisposable
{
    private readonly StudySession _session;
    private bool _isDisposed;

    internal SweepTrialResult(StudySession session, SweepTrial trial) => (_session, Trial) = (session, trial);

    /// <summary>The trial with its hyper-parameters, epochs and end, by the study's number.</summary>
    public SweepTrial Trial { get; }

    /// <summary>The study as it stands.</summary>
    /// <exception cref="ObjectDisposedException">This was disposed.</exception>
    public SweepStudy Study
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return new(_session.Store);
        }
    }

    /// <summary>Frees the model, and closes the study: dispose of the result of the experiment alone, when it is done.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        FreeModel();
        _session.Dispose();
    }

    internal void FreeModel()
    {
        (Model as IDisposable)?.Dispose();
        Model = null;
    }
}
