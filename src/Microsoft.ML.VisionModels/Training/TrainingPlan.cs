namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// Everything that a training was told, resolved once: options, the recipe's values and defaults. The loop and the tasks read this
/// and nothing else.
/// </summary>
internal sealed record TrainingPlan
{
    // The budget. Epochs or steps decide how long the training is; minutes end it earlier.
    public required int Epochs { get; init; }
    public int? Steps { get; init; }
    public double? Minutes { get; init; }

    public required int BatchSize { get; init; }
    public int AccumulationSteps { get; init; } = 1;
    public bool GradientCheckpointing { get; init; }
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>The highest learning rate; <see cref="Schedule"/> says which share of it a step has.</summary>
    public required double LearningRate { get; init; }
    public ISchedule Schedule { get; init; } = new CosineSchedule(0);
    public Func<IReadOnlyList<ParameterGroup>, IOptimizer> Optimizer { get; init; } = groups => new AdamW(groups);
    public double WeightDecay { get; init; }

    /// <summary>What <see cref="WeightDecay"/> is multiplied with at each step.</summary>
    public ISchedule DecaySchedule { get; init; } = new CosineBetween(1, 1);
    public double LayerDecay { get; init; } = 1;
    public double GradientClip { get; init; }

    /// <summary>Whether each parameter's gradient is clipped by itself, rather than all as one vector.</summary>
    public bool ClipsEachParameter { get; init; }
    public double EmaDecay { get; init; }

    /// <summary>The seed of order and augmentation.</summary>
    public int Seed { get; init; }
    public double ValidationFraction { get; init; }

    /// <summary>Epochs without a better validation after which the training stops; 0 never stops early.</summary>
    public int EarlyStoppingPatience { get; init; }

    public string? SnapshotFolder { get; init; }
    public int SnapshotSteps { get; init; }
    public double SnapshotMinutes { get; init; } = 10;

    public IProgress<TrainingProgress>? Progress { get; init; }
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Sits in the training, as a sweep's pruning does.</summary>
    public ITrainingCallback? Watch { get; init; }

    /// <summary>What was asked for, by name, as far as it has a part in what is learned: to tell one training from another.</summary>
    public IReadOnlyDictionary<string, string> Description { get; init; } = new Dictionary<string, string>();

    /// <summary>The steps of the whole training.</summary>
    public long TotalSteps(int stepsPerEpoch) => Steps ?? (long)Epochs * stepsPerEpoch;

    /// <summary>The epochs that have at least one of these steps.</summary>
    public int TotalEpochs(int stepsPerEpoch) => (int)((TotalSteps(stepsPerEpoch) + stepsPerEpoch - 1) / stepsPerEpoch);
}
