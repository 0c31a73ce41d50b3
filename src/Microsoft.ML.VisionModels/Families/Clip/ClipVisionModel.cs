using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>CLIP's vision tower as a featurizer: the vector of length 1.</summary>
internal sealed class ClipVisionModel(ClipConfig config, ClipVisionNetwork network) : FeaturizerModel
{
    public override ClipVisionNetwork Network => network;

    public override string Config => ModelJson.Write(config);

    public override IReadOnlyList<ImageFeature> Features { get; } = [new(Embedding, [config.EmbeddingSize])];

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static ClipVisionModel FromConfig(string config)
    {
        var read = ModelJson.Read<ClipConfig>(config);
        return new(read, new ClipVisionNetwork(read));
    }

    public override IReadOnlyDictionary<string, Tensor> Forward(Tensor pixels, IReadOnlySet<string> wanted) =>
        new Dictionary<string, Tensor> { [Embedding] = ClipNetwork.Normalize(network.forward(pixels)) };
}
