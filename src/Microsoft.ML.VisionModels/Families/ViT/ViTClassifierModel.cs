using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>A Vision Transformer with a head, as the classifier pipeline sees it.</summary>
internal sealed class ViTClassifierModel(ViTNetwork network) : TrainableClassifierModel
{
    public override ViTNetwork Network => network;

    public override int EmbeddingSize => network.Config.Width;

    public override ImageSize AttentionSize => network.Config.Grid;

    public override bool GradientCheckpointing { get => network.GradientCheckpointing; set => network.GradientCheckpointing = value; }

    public override string Config => ModelJson.Write(network.Config);

    /// <summary>Builds the network of a <see cref="Config"/>; its weights are yet to be loaded.</summary>
    public static ViTClassifierModel FromConfig(string config) => new(new ViTNetwork(ModelJson.Read<ViTConfig>(config)));

    public override ClassifierOutput Forward(Tensor pixels, bool embedding = false, bool attention = false)
    {
        using var trace = attention && ReadsClassToken ? new Trace(name => name.StartsWith("attentions.", StringComparison.Ordinal), AttentionRollout.MeanOfHeads) : null;
        var tokens = network.Tokens(pixels, trace);
        var logits = network.Logits(tokens);
        return new(logits, embedding ? network.Embedding(tokens) : null, attention ? Map(trace is null ? network.ClassActivations(tokens, logits) : Rollout(trace)) : null);
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

    private bool ReadsClassToken => network.Config.Pooling == ViTPooling.Class;

    /// <summary>The shares of the patches in the class token, [B, N].</summary>
    private Tensor Rollout(Trace trace) => AttentionRollout.Of([.. Enumerable.Range(0, Depth).Select(block => trace[ViTNetwork.AttentionName(block)])], token: 0)
        .narrow(1, network.Config.PrefixTokens, network.Config.Grid.Area);

    /// <summary>Values of patches [B, N] as a map [B, rows, columns] whose largest value is 1; all 0 where no patch speaks for the answer.</summary>
    private Tensor Map(Tensor patches) => ClassActivation.Scaled(patches)
        .view(-1, network.Config.Grid.Height, network.Config.Grid.Width);
}
