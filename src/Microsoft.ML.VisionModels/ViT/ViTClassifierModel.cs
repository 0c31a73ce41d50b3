using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.ViT;

/// <summary>A Vision Transformer with a head, as the classifier pipeline sees it.</summary>
internal sealed class ViTClassifierModel(ViTNetwork network) : ClassifierModel
{
    public override ViTNetwork Network => network;

    public override int EmbeddingSize => network.Config.Width;

    public override ImageSize? AttentionSize => network.Config.ClassToken ? network.Config.Grid : null;

    public override string Config => ModelJson.Write(network.Config);

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static ViTClassifierModel FromConfig(string config) => new(new ViTNetwork(ModelJson.Read<ViTConfig>(config)));

    public override ClassifierOutput Forward(Tensor pixels, bool embedding = false, bool attention = false)
    {
        using var trace = attention && AttentionSize is not null ? new Trace(network.LastAttention) : null;
        var tokens = network.Tokens(pixels, trace);
        return new(network.Logits(tokens), embedding ? network.Embedding(tokens) : null, trace is null ? null : ClassTokenMap(trace[network.LastAttention]));
    }

    public override bool IsHead(string parameter) => parameter.StartsWith("head", StringComparison.Ordinal);

    public override int Depth => network.Config.Depth;

    public override int LayerOf(string parameter) => parameter.Split('.') switch
    {
        ["blocks", var block, ..] => int.Parse(block, CultureInfo.InvariantCulture) + 1,
        ["norm" or "pooler" or "head" or "head_dist", ..] => Depth + 1,
        _ => 0,
    };

    public override bool IsSparedFromDecay(string parameter) => parameter is "cls_token" or "dist_token" or "reg_token" or "pos_embed";

    public override void SaveCheckpoint(string folder, IReadOnlyList<string> labels)
    {
        var config = network.Config.ToHuggingFace(labels).ToIndentedText();
        CheckpointLoader.Save(network, ViTDialect.HuggingFace(network.Config), Path.Combine(folder, "model.safetensors"));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), config);
    }

    /// <summary>What the class token looks at, the mean over the heads.</summary>
    private Tensor ClassTokenMap(Tensor probabilities) => probabilities    // [B, heads, T, T]
        .mean([1])                                                          // [B, T, T]
        .select(1, 0)                                                       // [B, T]
        .narrow(1, network.Config.PrefixTokens, network.Config.Grid.Area)   // [B, N]
        .view(-1, network.Config.Grid.Height, network.Config.Grid.Width);
}
