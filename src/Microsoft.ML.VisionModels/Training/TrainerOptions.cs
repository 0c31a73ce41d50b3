using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Microsoft.ML.Runtime;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What every trainer of this package can be told. The defaults suit small data sets; properties with a search space
/// attribute are the ones that sweeps tune.
/// </summary>
public abstract class TrainerOptions
{
    private double? _learningRate, _weightDecay, _emaDecay, _layerDecay;

    /// <summary>Passes over the training rows; at least 1. Default 30.</summary>
    [Range(5, 200, 30, true)]
    public virtual int Epochs { get; set; } = 30;

    /// <summary>Rows per step; at least 1. Default 64.</summary>
    [Choice(new object[] { 16, 32, 64, 128 }, 64)]
    public virtual int BatchSize { get; set; } = 64;

    /// <summary>
    /// The highest learning rate, reached at the end of the warm-up; above 0. By the recipe: 3e-4 with the one for fine-tuning,
    /// which is the default for a checkpoint of which more than the head learns; else 1e-3, which is much for published weights.
    /// </summary>
    [Range(1e-5, 1e-2, 1e-3, true)]
    public virtual double LearningRate { get => _learningRate ?? Defaults.LearningRate; set => _learningRate = value; }

    /// <summary>AdamW's decoupled weight decay, at least 0. Norms, biases, tokens and position embeddings are spared. By the recipe: 0 where a head alone learns, else 0.05.</summary>
    [Range(1e-3, 0.3, 0.05, true)]
    public double WeightDecay { get => _weightDecay ?? Defaults.WeightDecay; set => _weightDecay = value; }

    /// <summary>The share of all steps in which the learning rate rises, 0 to below 1; afterwards it falls along a cosine to near 0. Default 0.1.</summary>
    [Range(0.0, 0.3, 0.1)]
    public double WarmupFraction { get; set; } = 0.1;

    /// <summary>The highest global norm of the gradients of a step; 0 does not clip. Default 1.</summary>
    public double GradientClip { get; set; } = 1;

    /// <summary>
    /// The decay of the weights' exponential moving average, 0 (none) to below 1: the average is validated and kept. It grows with
    /// the steps from 0.1 up to this. Default 0, but 0.998 with a recipe for training from scratch.
    /// </summary>
    public double EmaDecay { get => _emaDecay ?? Defaults.EmaDecay; set => _emaDecay = value; }

    /// <summary>
    /// Layer-wise learning-rate decay, above 0 to 1: each block learns this many times as fast as the one after it, the head at the
    /// full rate. By the recipe: 0.75 for fine-tuning, else 1.
    /// </summary>
    [Range(0.5, 1.0, 1.0)]
    public double LayerDecay { get => _layerDecay ?? Defaults.LayerDecay; set => _layerDecay = value; }

    /// <summary>
    /// Gradient accumulation: a step's rows go through the network in this many parts, one after the other, at least 1. The
    /// gradients are the same, and so much less memory is needed. Default 1.
    /// </summary>
    public int AccumulationSteps { get; set; } = 1;

    /// <summary>
    /// Gradient checkpointing (arXiv 1604.06174): blocks compute their intermediate values again for the gradients instead of
    /// keeping them. The gradients are the same; much less memory is needed, and a step takes about a third longer. Default false.
    /// </summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>
    /// The numbers to train with. <see cref="Precision.BFloat16"/> multiplies in 16 bits and keeps weights and sums in 32, as
    /// PyTorch's autocast does: faster where the device has it. Default <see cref="Precision.Float32"/>.
    /// </summary>
    public Precision TrainingPrecision { get; set; } = Precision.Float32;

    /// <summary>Training stops after this many epochs without a better validation score (of a classifier the accuracy, and of equal ones the lower loss); 0 never stops early. Default 10.</summary>
    public int EarlyStoppingPatience { get; set; } = 10;

    /// <summary>The share of the training rows that is held out for validation when no validation set is given, 0 (none) to below 1. Default 0.1.</summary>
    public double ValidationFraction { get; set; } = 0.1;

    /// <summary>
    /// A folder in which the training is kept while it runs; null, the default, keeps it in memory alone. A training that is
    /// killed or canceled goes on there when it is started again with the same data and options, and ends with the weights of
    /// one that was not interrupted. The snapshot goes when the training is finished.
    /// </summary>
    public string? SnapshotFolder { get; set; }

    /// <summary>The steps between two snapshots, at least 0; 0, the default, goes by <see cref="SnapshotMinutes"/> alone.</summary>
    public int SnapshotSteps { get; set; }

    /// <summary>The minutes after which a snapshot is written at the latest; above 0. Default 10.</summary>
    public double SnapshotMinutes { get; set; } = 10;

    /// <summary>
    /// The seed of everything random; null takes the <see cref="MLContext"/>'s, and with a <see cref="SnapshotFolder"/> 0 where
    /// that has none.
    /// </summary>
    public int? Seed { get; set; }

    /// <summary>"cpu", "cuda", "cuda:1" or "mps"; "auto", the default, takes the GPU of <see cref="MLContext.GpuDeviceId"/>, else a CUDA device where there is one, else the CPU.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>Told of the training's progress: after the first step, then at most ten times a second, and at the end of every epoch.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Stops training within a step; the best weights so far are kept and the model is usable.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Sits in the training, as a sweep's pruning does.</summary>
    internal ITrainingCallback? Watch { get; set; }

    /// <summary>What the properties are that nobody has set.</summary>
    private protected virtual TrainerDefaults Defaults => TrainerDefaults.Plain;

    /// <summary>The names of properties that do not change what is learned; columns' names do not either.</summary>
    private protected virtual IEnumerable<string> NoPartInLearning => [nameof(Seed), nameof(Device), nameof(SnapshotFolder), nameof(SnapshotSteps), nameof(SnapshotMinutes)];

    /// <summary>What was asked for, by name, as far as it has a part in what is learned: to tell one training from another.</summary>
    internal Dictionary<string, string> Describe()
    {
        return GetType().GetProperties()
            .Where(property => property.CanWrite && !NoPartInLearning.Contains(property.Name) && !property.Name.EndsWith("ColumnName", StringComparison.Ordinal) && !property.IsDefined(typeof(JsonIgnoreAttribute), inherit: true))
            .Select(property => (property.Name, Value: property.GetValue(this)))
            .Where(entry => entry.Value is IConvertible)
            .ToDictionary(entry => entry.Name, entry => Convert.ToString(entry.Value, CultureInfo.InvariantCulture)!);
    }

    /// <summary>The seed to train with: the option's, the MLContext's, or any. A training that may be resumed must know it again.</summary>
    internal int SeedFor(IHostEnvironment environment) => Seed ?? MLNet.SeedOf(environment) ?? (SnapshotFolder is null ? Random.Shared.Next() : 0);

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A property's value is outside its range; the message names both.</exception>
    internal virtual void Validate()
    {
        Require(Epochs, Epochs >= 1, "at least 1");
        Require(BatchSize, BatchSize >= 1, "at least 1");
        Require(LearningRate, LearningRate > 0 && double.IsFinite(LearningRate), "above 0");
        Require(WeightDecay, WeightDecay >= 0 && double.IsFinite(WeightDecay), "at least 0");
        Require(WarmupFraction, WarmupFraction is >= 0 and < 1, "at least 0 and below 1");
        Require(GradientClip, GradientClip >= 0 && double.IsFinite(GradientClip), "at least 0 (0 does not clip)");
        Require(EmaDecay, EmaDecay is >= 0 and < 1, "at least 0 (no average) and below 1");
        Require(LayerDecay, LayerDecay is > 0 and <= 1, "above 0 and at most 1 (no decay)");
        Require(AccumulationSteps, AccumulationSteps >= 1 && AccumulationSteps <= BatchSize, $"at least 1 and at most the BatchSize, {BatchSize}");
        OptionChecks.RequireDefined(TrainingPrecision, nameof(TrainingPrecision));
        Require(SnapshotSteps, SnapshotSteps >= 0, "at least 0 (by time alone)");
        Require(SnapshotMinutes, SnapshotMinutes > 0, "above 0");
        if (SnapshotFolder is not null && string.IsNullOrWhiteSpace(SnapshotFolder))
            throw new ArgumentException($"{nameof(SnapshotFolder)} is empty; name a folder, or leave it null.", nameof(SnapshotFolder));
        Require(EarlyStoppingPatience, EarlyStoppingPatience >= 0, "at least 0 (0 never stops early)");
        Require(ValidationFraction, ValidationFraction is >= 0 and < 1, "at least 0 (no validation) and below 1");
    }

    /// <summary>Throws, naming the property and its value, unless <paramref name="holds"/>.</summary>
    internal static void Require<T>(T value, bool holds, string allowed, [CallerArgumentExpression(nameof(value))] string property = "")
        where T : INumber<T>
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(property, value, $"{property} is {value}, but must be {allowed}.");
    }
}
