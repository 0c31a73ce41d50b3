using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What every trainer of this package can be told. The defaults suit small data sets; properties with a search space
/// attribute are the ones that sweeps tune.
/// </summary>
public abstract class TrainerOptions
{
    private double? _learningRate;

    /// <summary>Passes over the training rows; at least 1. Default 30.</summary>
    [Range(5, 200, 30, true)]
    public int Epochs { get; set; } = 30;

    /// <summary>Rows per step; at least 1. Default 64.</summary>
    [Choice(new object[] { 16, 32, 64, 128 }, 64)]
    public int BatchSize { get; set; } = 64;

    /// <summary>
    /// The highest learning rate, reached at the end of the warm-up; above 0. Default 1e-3, but 1e-4 where published weights are
    /// fine-tuned below the head, which more would spoil.
    /// </summary>
    [Range(1e-5, 1e-2, 1e-3, true)]
    public double LearningRate { get => _learningRate ?? DefaultLearningRate; set => _learningRate = value; }

    /// <summary>AdamW's decoupled weight decay, at least 0. Norms, biases, tokens and position embeddings are spared. Default 0.05.</summary>
    [Range(1e-3, 0.3, 0.05, true)]
    public double WeightDecay { get; set; } = 0.05;

    /// <summary>The share of all steps in which the learning rate rises, 0 to below 1; afterwards it falls along a cosine to near 0. Default 0.1.</summary>
    [Range(0.0, 0.3, 0.1)]
    public double WarmupFraction { get; set; } = 0.1;

    /// <summary>The highest global norm of the gradients of a step; 0 does not clip. Default 1.</summary>
    public double GradientClip { get; set; } = 1;

    /// <summary>The share of each target that is spread over all classes, 0 to below 1. Default 0.1.</summary>
    [Range(0.0, 0.3, 0.1)]
    public double LabelSmoothing { get; set; } = 0.1;

    /// <summary>Training stops after this many epochs without a better validation score; 0 never stops early. Default 10.</summary>
    public int EarlyStoppingPatience { get; set; } = 10;

    /// <summary>The share of the training rows that is held out for validation when no validation set is given, 0 (none) to below 1. Default 0.1.</summary>
    public double ValidationFraction { get; set; } = 0.1;

    /// <summary>The seed of everything random; null takes the <see cref="MLContext"/>'s.</summary>
    public int? Seed { get; set; }

    /// <summary>"cpu", "cuda", "cuda:1" or "mps"; "auto", the default, takes a CUDA device where there is one, and else the CPU.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>Told of the training's progress, at most ten times a second and at the end of every epoch.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; set; }

    /// <summary>Stops training within a step; the best weights so far are kept and the model is usable.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; set; }

    private protected virtual double DefaultLearningRate => 1e-3;

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
        Require(LabelSmoothing, LabelSmoothing is >= 0 and < 1, "at least 0 and below 1");
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
