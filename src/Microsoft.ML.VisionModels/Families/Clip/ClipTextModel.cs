using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>CLIP's text tower as a pipeline owns it.</summary>
internal sealed class ClipTextModel(ClipConfig config, ClipTextNetwork network) : NetworkModel
{
    public override ClipTextNetwork Network => network;

    public override string Config => ModelJson.Write(config);

    public int EmbeddingSize => config.EmbeddingSize;

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static ClipTextModel FromConfig(string config)
    {
        var read = ModelJson.Read<ClipConfig>(config);
        return new(read, new ClipTextNetwork(read.Text, read.EmbeddingSize));
    }
}
