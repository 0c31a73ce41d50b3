using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.ML.Runtime;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What every trainer of this package can be told. The defaults suit small data sets; properties with a search space
/// attribute are the ones that sweeps tune.
/// </summary>
public abstract class TrainerOptions : ImageScoringOptions
{
    private double? _learningRate, _weightDecay, _emaDecay, _layerDecay;

    /// <summary>Passes over the training rows; at least 1. Default 30.</summary>
    [Range(5, 200, 30, true)]
    public virtual int Epochs { get; set; } = 30;

    /// <summary>Optimizer steps in all, at least 1, after which training ends whatever <see cref="Epochs"/> is. Null, the default, goes by <see cref="Epochs"/>.</summary>
    public int? Steps { get; set; }

    /// <summary>
    /// Minutes after which training ends at the latest, above 0; the learning rate then falls with the time. Two such trainings are not
    /// the same. Null, the default, sets no limit.
    /// </summary>
    public double? Minutes { get; set; }

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

    /// <summary>AdamW's decay of the running mean of the gradient, 0 to below 1. Default 0.9.</summary>
    public double Beta1 { get; set; } = 0.9;

    /// <summary>AdamW's decay of the running mean of the squared gradient, 0 to below 1. Default 0.999.</summary>
    public double Beta2 { get; set; } = 0.999;

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

    /// <summary>Rows to validate on, with the training data's columns; null holds out <see cref="ValidationFraction"/> of these.</summary>
    [JsonIgnore]
    public IDataView? ValidationData { get; set; }

    /// <summary>
    /// Memory for decoded training images in megabytes, at least 0. Default 2048, which holds 700,000 images of 32 x 32 or
    /// 14,000 of 224 x 224. Of those beyond it that are files, each is decoded anew in each epoch, ahead of the network.
    /// </summary>
    public int ImageCacheMegabytes { get; set; } = 2048;

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

    /// <summary>Told of the training's progress: after the first step, then at most ten times a second, and at the end of every epoch.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Sits in the training, as a sweep's pruning does.</summary>
    internal ITrainingCallback? Watch { get; set; }

    /// <summary>The values of properties that were not set.</summary>
    private protected virtual RecipeDefaults Defaults => RecipeDefaults.Plain;

    /// <summary>The names of properties that do not change what is learned; those of scoring do not either.</summary>
    private protected virtual IEnumerable<string> NoPartInLearning =>
        [nameof(Checkpoint), nameof(Seed), nameof(Device), nameof(SnapshotFolder), nameof(SnapshotSteps), nameof(SnapshotMinutes), nameof(ImageCacheMegabytes)];

    /// <summary>The seed to train with: the option's, the MLContext's, or any. A training that may be resumed must know it again.</summary>
    internal int SeedFor(IHostEnvironment environment) => Seed ?? MLNet.SeedOf(environment) ?? (SnapshotFolder is null ? Random.Shared.Next() : 0);

    /// <summary>All that the training is told, with the recipe's values and the defaults in their places.</summary>
    internal TrainingPlan Plan(int seed = 0) => new()
    {
        Epochs = Epochs,
        Steps = Steps,
        Minutes = Minutes,
        BatchSize = BatchSize,
        AccumulationSteps = AccumulationSteps,
        GradientCheckpointing = GradientCheckpointing,
        Precision = TrainingPrecision,
        LearningRate = LearningRate,
        Schedule = new CosineSchedule(WarmupFraction),
        Optimizer = groups => new AdamW(groups, Beta1, Beta2),
        WeightDecay = WeightDecay,
        LayerDecay = LayerDecay,
        GradientClip = GradientClip,
        EmaDecay = EmaDecay,
        Seed = seed,
        ValidationFraction = ValidationFraction,
        EarlyStoppingPatience = EarlyStoppingPatience,
        SnapshotFolder = SnapshotFolder,
        SnapshotSteps = SnapshotSteps,
        SnapshotMinutes = SnapshotMinutes,
        Progress = Progress,
        CancellationToken = CancellationToken,
        Watch = Watch,
        Description = Describe(),
    };

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.Require(Epochs, Epochs >= 1, "at least 1");
        OptionChecks.RequireAtLeast(Steps, 1);
        if (Minutes is { } minutes)
            OptionChecks.Require(minutes, minutes > 0, "above 0", nameof(Minutes));
        OptionChecks.Require(BatchSize, BatchSize >= 1, "at least 1");
        OptionChecks.Require(LearningRate, LearningRate > 0 && double.IsFinite(LearningRate), "above 0");
        OptionChecks.Require(WeightDecay, WeightDecay >= 0 && double.IsFinite(WeightDecay), "at least 0");
        OptionChecks.Require(Beta1, Beta1 is >= 0 and < 1, "at least 0 and below 1");
        OptionChecks.Require(Beta2, Beta2 is >= 0 and < 1, "at least 0 and below 1");
        OptionChecks.Require(WarmupFraction, WarmupFraction is >= 0 and < 1, "at least 0 and below 1");
        OptionChecks.Require(GradientClip, GradientClip >= 0 && double.IsFinite(GradientClip), "at least 0 (0 does not clip)");
        OptionChecks.Require(EmaDecay, EmaDecay is >= 0 and < 1, "at least 0 (no average) and below 1");
        OptionChecks.Require(LayerDecay, LayerDecay is > 0 and <= 1, "above 0 and at most 1 (no decay)");
        OptionChecks.Require(AccumulationSteps, AccumulationSteps >= 1 && AccumulationSteps <= BatchSize, $"at least 1 and at most the BatchSize, {BatchSize}");
        OptionChecks.RequireDefined(TrainingPrecision, nameof(TrainingPrecision));
        OptionChecks.Require(SnapshotSteps, SnapshotSteps >= 0, "at least 0 (by time alone)");
        OptionChecks.Require(SnapshotMinutes, SnapshotMinutes > 0, "above 0");
        if (SnapshotFolder is not null && string.IsNullOrWhiteSpace(SnapshotFolder))
            throw new ArgumentException($"{nameof(SnapshotFolder)} is empty; name a folder, or leave it null.", nameof(SnapshotFolder));
        OptionChecks.Require(EarlyStoppingPatience, EarlyStoppingPatience >= 0, "at least 0 (0 never stops early)");
        OptionChecks.Require(ValidationFraction, ValidationFraction is >= 0 and < 1, "at least 0 (no validation) and below 1");
        OptionChecks.Require(ImageCacheMegabytes, ImageCacheMegabytes >= 0, "at least 0");
    }

    private Dictionary<string, string> Describe() => GetType().GetProperties()
        .Where(property => property.CanWrite && !NoPartInLearning.Contains(property.Name) && !property.Name.EndsWith("ColumnName", StringComparison.Ordinal)
            && !property.IsDefined(typeof(JsonIgnoreAttribute), inherit: true) && !property.IsDefined(typeof(ScoringSettingAttribute), inherit: true))
        .Select(property => (property.Name, Value: property.GetValue(this)))
        .Where(entry => entry.Value is IConvertible)
        .ToDictionary(entry => entry.Name, entry => Convert.ToString(entry.Value, CultureInfo.InvariantCulture)!);
}
