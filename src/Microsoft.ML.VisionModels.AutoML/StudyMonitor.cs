using Microsoft.ML.AutoML;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using static System.FormattableString;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>Writes an experiment down as a study, and a line for each trial into ML.NET's log. It keeps no results, and so no models.</summary>
internal sealed class StudyMonitor(StudySession session, IChannel channel) : IMonitor
{
    public void ReportRunningTrial(TrialSettings settings)
    {
        if (!session.IsDone)
            session.Begin(settings);
    }

    public void ReportCompletedTrial(TrialResult result)
    {
        session.End(result.TrialSettings, SweepTrialState.Complete, result.Metric);
        var state = (result as SweepTrialResult)?.Trial.State ?? SweepTrialState.Complete;
        Log(session.Begin(result.TrialSettings), Invariant($"{state.ToString().ToLowerInvariant()}, {session.Metric.Name} {result.Metric:F4}, {result.DurationInMilliseconds / 1000:F1} s"));
    }

    public void ReportBestTrial(TrialResult result) => Log(session.Begin(result.TrialSettings), "the best so far");

    public void ReportFailTrial(TrialSettings settings, Exception? exception = null)
    {
        if (session.IsDone)
            return;
        session.End(settings, SweepTrialState.Failed, null, exception?.Message);
        Log(session.Begin(settings), $"failed: {exception?.Message}");
    }

    private void Log(SweepTrial trial, string text)
    {
        var parameters = string.Join(", ", trial.Parameters.Select(parameter => Invariant($"{parameter.Key} {parameter.Value}")));
        MLNet.Info(channel, Invariant($"Trial {trial.Number}, {trial.Candidate} with {parameters}: {text}."));
    }
}
