using System.Diagnostics;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Pruners;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Sweeps;

/// <summary>Sits in the training of a trial: tells the study of every epoch, and ends those that are not worth going on with.</summary>
internal sealed class TrialWatch(SweepTrial trial, StudyStore store, IPruner? pruner, Action<SweepTrial> report) : ITrainingCallback
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>The trial with its epochs so far.</summary>
    public SweepTrial Trial { get; private set; } = trial;

    public bool IsPruned { get; private set; }

    /// <summary>Whether the study has given the trial to another worker, as this one was taken for dead.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether the training was canceled before its end.</summary>
    public bool IsCut { get; private set; }

    public void OnTrainEnd(TrainingState state) => IsCut = state.StopReason == StopReason.Canceled;

    public bool OnEpochEnd(TrainingState state)
    {
        if (state.BestValidation is not { } best || !double.IsFinite(best.Score))
            return false;
        var epoch = new SweepEpoch(state.Epoch + 1, best.Score, _clock.Elapsed.TotalSeconds);
        Trial = Trial with { Epochs = [.. Trial.Epochs, epoch], Duration = _clock.Elapsed };
        IsLost = !store.Report(Trial, epoch);
        report(Trial);
        if (IsLost)
            return true;
        IsPruned = pruner?.ShouldStop(Trial, state.TotalEpochs, [.. store.Trials().Where(other => other.Number != Trial.Number)]) == true;
        return IsPruned;
    }
}
