using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Where a training stands; the loop writes it, callbacks read it. Epochs and steps count from 0.</summary>
internal sealed class TrainingState(ITrainingTask task, TrainingPlan plan) : IDisposable
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _before;   // spent by the process that this one goes on from

    public ITrainingTask Task { get; } = task;

    public TrainingPlan Plan { get; } = plan;

    public IOptimizer Optimizer { get; } = plan.Optimizer(task.ParameterGroups);

    /// <summary>The weights' moving average; null where none is wanted.</summary>
    public WeightAverage? Average { get; } = plan.EmaDecay > 0 ? new(task.Network, plan.EmaDecay) : null;

    public BestWeights Best { get; } = new();

    public int StepsPerEpoch { get; } = task.StepsPerEpoch;

    public int Epoch { get; set; }

    /// <summary>The epoch's steps that are done: the number of the next one.</summary>
    public int Step { get; set; }

    /// <summary>The steps of the whole training that are done.</summary>
    public long GlobalStep => (long)Epoch * StepsPerEpoch + Step;

    public long TotalSteps => Plan.TotalSteps(StepsPerEpoch);

    public int TotalEpochs => Plan.TotalEpochs(StepsPerEpoch);

    /// <summary>How much of the training is done, 0 to 1: by its steps, or by its time where that is shorter.</summary>
    public double ShareDone => Math.Max((double)GlobalStep / TotalSteps, Plan.Minutes is { } minutes ? Math.Min(1, Elapsed.TotalMinutes / minutes) : 0);

    /// <summary>Whether the budget of steps or minutes is used up.</summary>
    public bool IsSpent => GlobalStep >= TotalSteps || (Plan.Minutes is { } minutes && Elapsed.TotalMinutes >= minutes);

    /// <summary>The last step's.</summary>
    public double LearningRate { get; set; }

    /// <summary>The mean loss of this epoch's steps so far.</summary>
    public double MeanLoss { get; set; }

    public ValidationResult? LastValidation { get; private set; }

    public ValidationResult? BestValidation { get; private set; }

    public int? BestEpoch { get; private set; }

    public List<TrainingEpoch> Epochs { get; } = [];

    /// <summary>Known when training has ended.</summary>
    public StopReason StopReason { get; set; }

    /// <summary>Why the last snapshot could not be written; null where it could.</summary>
    public string? SnapshotError { get; set; }

    public TimeSpan Elapsed => _before + _clock.Elapsed;

    /// <summary>Notes the end of the current epoch.</summary>
    public void Add(ValidationResult? validation)
    {
        LastValidation = validation;
        if (validation is not null && (BestValidation is null || validation.IsBetterThan(BestValidation)))
            (BestValidation, BestEpoch) = (validation, Epoch);
        var seconds = Elapsed.TotalSeconds - Epochs.Sum(e => e.Seconds);
        Epochs.Add(new(Epoch + 1, MeanLoss, validation?.Loss, validation?.Metrics ?? new Dictionary<string, double>(), LearningRate, seconds));
    }

    /// <summary>All that is needed to go on from here in another process, but for the tensors.</summary>
    public TrainingPosition ToPosition()
    {
        var isNoted = Epochs.Count > Epoch; // the present epoch has ended
        return new(isNoted ? Epoch + 1 : Epoch, isNoted ? 0 : Step, LearningRate, MeanLoss, LastValidation, BestValidation, BestEpoch, Epochs, Elapsed);
    }

    public void GoTo(TrainingPosition position)
    {
        (Epoch, Step, LearningRate, MeanLoss) = (position.Epoch, position.Step, position.LearningRate, position.MeanLoss);
        (LastValidation, BestValidation, BestEpoch, _before) = (position.LastValidation, position.BestValidation, position.BestEpoch, position.Elapsed);
        Epochs.AddRange(position.Epochs);
    }

    public TrainingHistory ToHistory() => new([.. Epochs], BestEpoch + 1, StopReason, Elapsed, SnapshotError);

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        Best.Dispose();
    }
}

/// <summary>How far a training is, as a snapshot keeps it. Epochs and steps count from 0.</summary>
/// <param name="Epoch">The present epoch.</param>
/// <param name="Step">Its first step that is not done; the number of steps where only its validation is left.</param>
/// <param name="LearningRate">The last step's.</param>
/// <param name="MeanLoss">The mean loss of the epoch's steps so far.</param>
/// <param name="LastValidation">The last epoch's.</param>
/// <param name="BestValidation">The best epoch's.</param>
/// <param name="BestEpoch">The epoch with the best validation.</param>
/// <param name="Epochs">The finished epochs.</param>
/// <param name="Elapsed">The time so far.</param>
internal sealed record TrainingPosition(
    int Epoch,
    int Step,
    double LearningRate,
    double MeanLoss,
    ValidationResult? LastValidation,
    ValidationResult? BestValidation,
    int? BestEpoch,
    IReadOnlyList<TrainingEpoch> Epochs,
    TimeSpan Elapsed);
