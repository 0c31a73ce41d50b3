namespace Microsoft.ML.VisionModels.Training;

/// <summary>The values of those <see cref="TrainerOptions"/> that depend on how a network is trained.</summary>
internal record TrainerDefaults
{
    public static TrainerDefaults Plain { get; } = new();

    public double LearningRate { get; init; } = 1e-3;
    public double WeightDecay { get; init; } = 0.05;
    public double EmaDecay { get; init; }
    public double LayerDecay { get; init; } = 1;
}
