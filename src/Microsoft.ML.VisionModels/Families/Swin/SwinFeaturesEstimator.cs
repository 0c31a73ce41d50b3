using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>Loads a published Swin Transformer for its features. Made by <c>mlContext.Transforms.SwinFeatures</c>.</summary>
public sealed class SwinFeaturesEstimator : ImageFeaturizerEstimator<SwinFeaturesTransformer>
{
    internal SwinFeaturesEstimator(IHostEnvironment environment, SwinFeaturesOptions options)
        : base(environment, nameof(SwinFeaturesEstimator), options)
    {
    }

    private protected override (FeaturizerModel Model, ImagePreprocessing Preprocessing) Open(ImageFeaturizerOptions options)
    {
        var swin = (SwinFeaturesOptions)options;
        var source = SwinSource.Open(swin.Preset, swin.Checkpoint!);
        var size = swin.ImageSize ?? source.Config.ImageSize;
        var preprocessing = NetworkInput.Preprocessing(swin.Preprocessing, source.Preprocessing, swin.ImageSize, size);
        // Every weight is the checkpoint's: nothing is drawn.
        using var generator = EpochOrder.Generator(0, epoch: 0, stream: 0);
        return (new SwinFeaturizerModel(source.Build(source.Config with { Classes = null }, ownHead: false, generator).Resize(size, swin.WindowSize)), preprocessing);
    }

    private protected override SwinFeaturesTransformer Create(FeaturizerParts parts) => new(Host, parts);
}
