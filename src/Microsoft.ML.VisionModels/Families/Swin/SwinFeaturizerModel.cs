using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>A Swin Transformer as a featurizer: the pooled vector, and each stage's feature map.</summary>
internal sealed class SwinFeaturizerModel(SwinNetwork network) : FeaturizerModel
{
    public override SwinNetwork Network => network;

    public override string Config => ModelJson.Write(network.Config);

    public override IReadOnlyList<ImageFeature> Features { get; } = FeaturesOf(network.Config);

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static SwinFeaturizerModel FromConfig(string config) => new(new SwinNetwork(ModelJson.Read<SwinConfig>(config)));

    public override IReadOnlyDictionary<string, Tensor> Forward(Tensor pixels, IReadOnlySet<string> wanted)
    {
        var stages = Enumerable.Range(0, network.Config.Stages).Where(stage => wanted.Contains(Name(stage))).ToArray();
        using var trace = new Trace([.. stages.Select(SwinConfig.StageName)]);
        var features = network.Features(pixels, trace);
        var outputs = stages.ToDictionary(Name, stage => network.FeatureMap(SwinConfig.StageName(stage), trace[SwinConfig.StageName(stage)]));
        if (wanted.Contains(Embedding))
            outputs[Embedding] = SwinNetwork.Embedding(features);
        return outputs;
    }

    /// <summary>As the options' property is called, without its ending.</summary>
    private static string Name(int stage) => $"Stage{stage + 1}";

    private static ImageFeature[] FeaturesOf(SwinConfig config) =>
    [
        new(Embedding, [config.WidthOf(config.LastStage)]),
        .. Enumerable.Range(0, config.Stages).Select(stage => new ImageFeature(Name(stage), [config.WidthOf(stage), config.GridOf(stage).Height, config.GridOf(stage).Width])),
    ];
}
