using Microsoft.ML.AutoML;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Experiments over networks that train in a moment.</summary>
internal sealed class ToyExperiment
{
    public MLContext Context { get; } = new(seed: 1);

    public IDataView Train => ToyImages.View(Context, 60);

    public IDataView Validation => ToyImages.View(Context, 30, seed: 1);

    public AutoMLExperiment New() => Context.Auto().CreateExperiment().SetDataset(Train, Validation);

    /// <summary>A Vision Transformer of 16 patches; half of its learning rates learn nothing.</summary>
    public SweepableEstimator TinyViT(int epochs) => Context.Auto().ViTClassifier(epochs: epochs, search: vit => vit
        .Fix(o => o.ImageSize, ToyImages.Side).Fix(o => o.PatchSize, ToyImages.Side / 4).Fix(o => o.Preset, ViTPreset.SmallImage)
        .Fix(o => o.Device, "cpu").Fix(o => o.ValidationFraction, 0.25)
        .Range(o => o.LearningRate, 1e-7, 3e-3, logarithmic: true, initial: 2e-3).Choice(o => o.BatchSize, 8, 16));

    public SweepableEstimator TinySwin(int epochs) => Context.Auto().SwinClassifier(epochs: epochs, search: swin => swin
        .Fix(o => o.ImageSize, ToyImages.Side).Fix(o => o.PatchSize, 2).Fix(o => o.WindowSize, 2).Fix(o => o.Preset, SwinPreset.SmallImage)
        .Fix(o => o.Device, "cpu"));

    /// <summary>A pipeline of one estimator, after one that is not searched.</summary>
    public SweepablePipeline Pipeline(params SweepableEstimator[] oneOf) => Context.Transforms.Conversion.MapValueToKey("Label").Append(oneOf);
}
