using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>SAM as a pipeline owns it.</summary>
internal sealed class SamModel(SamNetwork network) : NetworkModel
{
    public override SamNetwork Network => network;

    public override string Config => ModelJson.Write(network.Config);

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static SamModel FromConfig(string config) => new(new SamNetwork(ModelJson.Read<SamConfig>(config)));
}
