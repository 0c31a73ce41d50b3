using Microsoft.ML.AutoML;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>
/// AutoML's own, and the one way to end an experiment from within: AutoML has no rule of one's own for when to stop, but ends with the
/// best result where a performance monitor cancels a trial. It asks when a trial begins, and every two seconds.
/// </summary>
internal sealed class StudyPerformanceMonitor(StudySession session, AutoMLExperiment.AutoMLExperimentSettings settings, IChannel channel)
    : DefaultPerformanceMonitor(settings, channel, checkIntervalInMilliseconds: 2000)
{
    public override void OnPerformanceMetricsUpdatedHandler(TrialSettings trialSettings, TrialPerformanceMetrics metrics, CancellationTokenSource trialCancellationTokenSource)
    {
        if (session.IsDone || session.CancellationToken.IsCancellationRequested)
            trialCancellationTokenSource.Cancel();
        else
            base.OnPerformanceMetricsUpdatedHandler(trialSettings, metrics, trialCancellationTokenSource);
    }
}
