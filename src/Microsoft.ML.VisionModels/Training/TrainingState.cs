using System.Diagnostics;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Where a training stands; the loop writes it, callbacks read it. Epochs and steps count from 0.</summary>
internal sealed class TrainingState(ITrainingTask task, TrainerOptions options, AdamW optimizer)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public ITrainingTask Task { get; } = task;

    public TrainerOptions Options { get; } = options;

    public AdamW Optimizer { get; } = optimizer;

    public int StepsPerEpoch { get; } = task.StepsPerEpoch;

    public int Epoch { get; set; }

    /// <summary>The step in the epoch.</summary>
    public int Step { get; set; }

    /// <summary>The step in the whole training.</summary>
    public long GlobalStep => (long)Epoch * StepsPerEpoch + Step;

    public long TotalSteps => (long)Options.Epochs * StepsPerEpoch;

    /// <summary>The last step's.</summary>
    public double LearningRate { get; set; }

    /// <summary>The mean loss of this epoch's steps so far.</summary>
    public double MeanLoss { get; set; }

    public ValidationResult? LastValidation { get; set; }

    public ValidationResult? BestValidation { get; private set; }

    public int? BestEpoch { get; private set; }

    public List<TrainingEpoch> Epochs { get; } = [];

    /// <summary>Known when training has ended.</summary>
    public StopReason StopReason { get; set; }

    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>Notes the end of the current epoch.</summary>
    public void Add(ValidationResult? validation)
    {
        LastValidation = validation;
        if (validation is not null && (BestValidation is null || validation.IsBetterThan(BestValidation)))
            (BestValidation, BestEpoch) = (validation, Epoch);
        var seconds = Elapsed.TotalSeconds - Epochs.Sum(e => e.Seconds);
        Epochs.Add(new(Epoch + 1, MeanLoss, validation?.Loss, validation?.Metrics ?? new Dictionary<string, double>(), LearningRate, seconds));
    }

    public TrainingHistory ToHistory() => new([.. Epochs], BestEpoch + 1, StopReason, Elapsed);
}
