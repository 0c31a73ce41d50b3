using System.Globalization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What the tensors of a single file tell of its networks, which has no configuration: blocks are counted, and widths measured.</summary>
internal static class LdmConfig
{
    // Stable Diffusion 1 has eight heads in all stages; its successors, which read words of other widths, heads of 64.
    private const int FirstContextWidth = 768, FirstHeads = 8, LaterHeadWidth = 64;

    // Of SDXL, whose sizes and crops become so many waves each.
    private const int SizeWidth = 256;

    /// <summary>A U-Net that knows words.</summary>
    /// <param name="weights">Its tensors in the authors' names, see <see cref="LdmDialect"/>.</param>
    /// <exception cref="CheckpointException">They are of another network.</exception>
    public static UNetConfig UNet(Checkpoint weights)
    {
        var stages = new List<(int Channels, int Layers, int Depth)>();     // a depth of 0 is no attention
        var (layers, channels, depth) = (0, 0, 0);
        for (var block = 1; weights.Tensors.Keys.Any(name => name.StartsWith($"input_blocks.{block}.", StringComparison.Ordinal)); block++)
        {
            if (!weights.Tensors.ContainsKey($"input_blocks.{block}.0.op.weight"))
            {
                (layers, channels, depth) = (layers + 1, Shape(weights, $"input_blocks.{block}.0.out_layers.3.weight")[0], Depth($"input_blocks.{block}.1"));
                continue;
            }
            stages.Add((channels, layers, depth));
            layers = 0;
        }
        stages.Add((channels, layers, depth));

        var middle = Depth("middle_block.1");
        if (stages[^1].Depth == 0)
            stages[^1] = stages[^1] with { Depth = -middle };               // the middle's is that of the last stage
        var attention = weights.Tensors.Keys.FirstOrDefault(name => name.EndsWith("attn2.to_k.weight", StringComparison.Ordinal))
            ?? throw new CheckpointException($"{weights.Path}: the U-Net has no attention to words; such files are not read.");
        var context = Shape(weights, attention)[1];
        var (first, output) = (Shape(weights, "input_blocks.0.0.weight"), 0);
        var up = new StageAttention[stages.Count];
        for (var step = 0; step < up.Length; output += stages[^(++step)].Layers + 1)
            up[step] = Depth($"output_blocks.{output}.1") > 0 ? StageAttention.Words : StageAttention.None;
        int? vector = weights.Tensors.ContainsKey("label_emb.0.0.weight") ? Shape(weights, "label_emb.0.0.weight")[1] : null;
        return new UNetConfig
        {
            InputChannels = first[1],
            OutputChannels = Shape(weights, "out.2.weight")[0],
            Channels = [.. stages.Select(stage => stage.Channels)],
            Layers = [.. stages.Select(stage => stage.Layers)],
            Down = [.. stages.Select(stage => stage.Depth > 0 ? StageAttention.Words : StageAttention.None)],
            Up = up,
            Heads = [.. stages.Select(stage => context == FirstContextWidth ? FirstHeads : Math.Max(1, stage.Channels / LaterHeadWidth))],
            ContextWidths = [.. stages.Select(_ => context)],
            Depths = [.. stages.Select(stage => Math.Abs(stage.Depth))],
            OnlyCrossAttention = new bool[stages.Count],
            LinearProjection = weights.Tensors["middle_block.1.proj_in.weight"].Shape.Count == 2,
            ProjectionWidth = vector,
            SizeWidth = vector is null ? null : SizeWidth,
            GuidanceWidth = weights.Tensors.ContainsKey("time_embed.cond_proj.weight") ? Shape(weights, "time_embed.cond_proj.weight")[1] : null,
        }.Validate();

        int Depth(string block) => Count(weights, $"{block}.transformer_blocks.");
    }

    /// <summary>An autoencoder.</summary>
    /// <param name="weights">Its tensors in the authors' names, see <see cref="LdmDialect"/>.</param>
    /// <param name="scalingFactor">What latents are multiplied by, which no tensor tells.</param>
    /// <exception cref="CheckpointException">They are of another network.</exception>
    public static AutoencoderKlConfig Autoencoder(Checkpoint weights, double scalingFactor)
    {
        int[] channels = [.. Enumerable.Range(0, Count(weights, "encoder.down.")).Select(stage => Shape(weights, $"encoder.down.{stage}.block.0.conv1.weight")[0])];
        return new AutoencoderKlConfig
        {
            InputChannels = Shape(weights, "encoder.conv_in.weight")[1],
            OutputChannels = Shape(weights, "decoder.conv_out.weight")[0],
            LatentChannels = Shape(weights, "decoder.conv_in.weight")[1],
            Channels = channels,
            Layers = Count(weights, "encoder.down.0.block."),
            Down = [.. channels.Select((_, stage) => Count(weights, $"encoder.down.{stage}.attn.") > 0)],
            Up = [.. channels.Select((_, step) => Count(weights, $"decoder.up.{channels.Length - 1 - step}.attn.") > 0)],
            QuantConvolution = weights.Tensors.ContainsKey("quant_conv.weight"),
            PostQuantConvolution = weights.Tensors.ContainsKey("post_quant_conv.weight"),
            ScalingFactor = scalingFactor,
        }.Validate();
    }

    /// <summary>How many numbers follow a prefix in the tensors' names.</summary>
    private static int Count(Checkpoint weights, string prefix) => weights.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
        .Select(name => int.TryParse(name[prefix.Length..].Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
        .Where(number => number >= 0).Distinct().Count();

    private static int[] Shape(Checkpoint weights, string name) => weights.Tensors.TryGetValue(name, out var tensor) && tensor.Shape.Count >= 2
        ? [.. tensor.Shape.Select(size => checked((int)size))]
        : throw new CheckpointException($"{weights.Path} has no tensor '{name}', as single files of latent diffusion have.");
}
