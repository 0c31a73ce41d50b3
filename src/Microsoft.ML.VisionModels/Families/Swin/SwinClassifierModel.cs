using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>A Swin Transformer with a head, as the classifier pipeline sees it.</summary>
internal sealed class SwinClassifierModel(SwinNetwork network) : TrainableClassifierModel
{
    public override SwinNetwork Network => network;

    public override int EmbeddingSize => network.Config.WidthOf(network.Config.LastStage);

    public override ImageSize AttentionSize => network.Config.GridOf(network.Config.LastStage);

    public override bool GradientCheckpointing { get => network.GradientCheckpointing; set => network.GradientCheckpointing = value; }

    public override string Config => ModelJson.Write(network.Config);

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static SwinClassifierModel FromConfig(string config) => new(new SwinNetwork(ModelJson.Read<SwinConfig>(config)));

    public override ClassifierOutput Forward(Tensor pixels, bool embedding = false, bool attention = false)
    {
        var features = network.Features(pixels);                // [B, H, W, D]
        var pooled = SwinNetwork.Embedding(features);           // [B, D]
        var logits = network.Logits(pooled);
        return new(logits, embedding ? pooled : null, attention ? network.ClassMap(features, logits) : null);
    }

    public override bool IsHead(string parameter) => parameter.StartsWith("head.", StringComparison.Ordinal);

    public override int Depth => network.Config.Blocks;

    public override int LayerOf(string parameter) => parameter.Split('.') switch
    {
        ["stages", var stage, "blocks", var block, ..] => network.Config.FirstBlockOf(Number(stage)) + Number(block) + 1,
        ["stages", var stage, ..] => network.Config.FirstBlockOf(Number(stage) + 1),    // the merging belongs to the stage's last block
        ["norm" or "head", ..] => Depth + 1,
        _ => 0,
    };

    public override bool IsSparedFromDecay(string parameter) =>
        parameter.Contains(".position_bias.", StringComparison.Ordinal) || parameter.EndsWith(".logit_scale", StringComparison.Ordinal);

    public override void SaveCheckpoint(string folder, IReadOnlyList<string> labels)
    {
        using var scope = NewDisposeScope();
        CheckpointLoader.Save(network, SwinDialect.HuggingFace(network.Config), Path.Combine(folder, "model.safetensors"), SwinDialect.HuggingFaceBuffers(network.Config));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), network.Config.ToHuggingFace(labels).ToIndentedText());
    }

    private static int Number(string segment) => int.Parse(segment, CultureInfo.InvariantCulture);
}
