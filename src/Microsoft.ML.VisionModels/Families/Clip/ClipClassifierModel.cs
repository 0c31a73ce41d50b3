using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>A classifier on CLIP's vision tower, as the pipeline sees it.</summary>
internal sealed class ClipClassifierModel(ClipClassifierNetwork network) : ClassifierModel
{
    public override ClipClassifierNetwork Network => network;

    public override string Config => ModelJson.Write(network.Config);

    public override int EmbeddingSize => network.Config.Clip.EmbeddingSize;

    public override ImageSize AttentionSize => network.Config.Clip.Vision.Grid;

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static ClipClassifierModel FromConfig(string config) => new(ClipClassifierNetwork.Of(ModelJson.Read<ClipClassifierConfig>(config)));

    public override ClassifierOutput Forward(Tensor pixels, bool embedding = false, bool attention = false)
    {
        var vectors = network.Embed(pixels);
        return new(network.Logits(vectors), embedding ? vectors : null, null);
    }

    public override Tensor Probabilities(Tensor logits) => network.Config.Sigmoid ? logits.sigmoid() : base.Probabilities(logits);
}
