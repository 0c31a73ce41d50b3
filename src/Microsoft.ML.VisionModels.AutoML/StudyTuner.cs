using Microsoft.ML.AutoML;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>A sampler of this package as a tuner. It looks at the study, so that it needs no memory of its own.</summary>
internal sealed class StudyTuner(StudySession session) : ITuner
{
    public Parameter Propose(TrialSettings settings) => session.Propose(settings);

    /// <summary>Runner and monitor of this package have written it down before; others have not.</summary>
    public void Update(TrialResult result)
    {
        // AutoML's sign of a trial that failed.
        var isFailure = result.Loss == double.MaxValue;
        session.End(result.TrialSettings, isFailure ? SweepTrialState.Failed : SweepTrialState.Complete, isFailure ? null : result.Metric);
    }
}
