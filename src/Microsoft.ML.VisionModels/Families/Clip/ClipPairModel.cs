using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Both towers of a CLIP as a pipeline owns them.</summary>
internal sealed class ClipPairModel(ClipNetwork network) : NetworkModel
{
    public override ClipNetwork Network => network;

    public override string Config => ModelJson.Write(network.Config);

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static ClipPairModel FromConfig(string config) => new(new ClipNetwork(ModelJson.Read<ClipConfig>(config)));
}
