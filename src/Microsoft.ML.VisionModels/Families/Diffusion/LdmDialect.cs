using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// How the authors of latent diffusion name the tensors of U-Nets and autoencoders (CompVis/stable-diffusion, Stability-AI/generative-models),
/// as single files of Stable Diffusion have them. The U-Net's blocks are counted through, and so the numbers follow from its configuration.
/// </summary>
internal static class LdmDialect
{
    private const string Name = "CompVis";

    private static readonly (string Ours, string Theirs)[] s_unetBlock =
        [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"), ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")];

    private static readonly (string Ours, string Theirs)[] s_autoencoderBlock =
        [("norm1", "norm1"), ("conv1", "conv1"), ("norm2", "norm2"), ("conv2", "conv2"), ("conv_shortcut", "nin_shortcut")];

    /// <summary>The names of a U-Net that knows words, without <c>model.diffusion_model.</c>.</summary>
    public static Dialect UNet(UNetConfig config)
    {
        var rules = new List<DialectRule>
        {
            ("time_embedding.linear_1.*", "time_embed.0.*"), ("time_embedding.linear_2.*", "time_embed.2.*"), ("time_embedding.cond_proj.*", "time_embed.cond_proj.*"),
            ("add_embedding.linear_1.*", "label_emb.0.0.*"), ("add_embedding.linear_2.*", "label_emb.0.2.*"),
            ("class_embedding.linear_1.*", "label_emb.0.0.*"), ("class_embedding.linear_2.*", "label_emb.0.2.*"), ("class_table", "label_emb.weight"),
            ("conv_in.*", "input_blocks.0.0.*"), ("conv_norm_out.*", "out.0.*"), ("conv_out.*", "out.2.*"),
        };
        var block = 1;
        for (var stage = 0; stage < config.Stages; stage++)
        {
            for (var layer = 0; layer < config.Layers[stage]; layer++, block++)
                Layer($"down_blocks.{stage}", layer, $"input_blocks.{block}", config.Down[stage]);
            if (stage < config.Stages - 1)
                rules.Add(($"down_blocks.{stage}.downsample.conv.*", $"input_blocks.{block++}.0.op.*"));
        }
        rules.AddRange(Block("mid_block.resnets.0", "middle_block.0", s_unetBlock));
        rules.AddRange(DiffusersDialect.Transformer("mid_block.attentions.0", "middle_block.1", config.LinearProjection));
        rules.Add(("mid_block.attentions.0.norm.*", "middle_block.1.norm.*"));
        rules.AddRange(Block("mid_block.resnets.1", "middle_block.2", s_unetBlock));
        block = 0;
        for (var step = 0; step < config.Stages; step++)
        {
            for (var layer = 0; layer <= config.Layers[^(step + 1)]; layer++, block++)
                Layer($"up_blocks.{step}", layer, $"output_blocks.{block}", config.Up[step]);
            if (step < config.Stages - 1)
                rules.Add(($"up_blocks.{step}.upsample.conv.*", $"output_blocks.{block - 1}.{(config.Up[step] == StageAttention.None ? 1 : 2)}.conv.*"));
        }
        return new(Name) { Rules = rules };

        void Layer(string ours, int layer, string theirs, StageAttention attention)
        {
            rules.AddRange(Block($"{ours}.resnets.{layer}", $"{theirs}.0", s_unetBlock));
            if (attention == StageAttention.None)
                return;
            rules.AddRange(DiffusersDialect.Transformer($"{ours}.attentions.{layer}", $"{theirs}.1", config.LinearProjection));
            rules.Add(($"{ours}.attentions.{layer}.norm.*", $"{theirs}.1.norm.*"));
        }
    }

    /// <summary>The names of an autoencoder, without <c>first_stage_model.</c>.</summary>
    public static Dialect Autoencoder(AutoencoderKlConfig config) => new(Name)
    {
        Rules =
        [
            .. new[] { "encoder", "decoder" }.SelectMany(half => (DialectRule[])
            [
                ($"{half}.conv_in.*", $"{half}.conv_in.*"),
                .. Block($"{half}.mid_block.resnets.0", $"{half}.mid.block_1", s_autoencoderBlock),
                .. Attention($"{half}.mid_block.attentions.0", $"{half}.mid.attn_1"),
                .. Block($"{half}.mid_block.resnets.1", $"{half}.mid.block_2", s_autoencoderBlock),
                ($"{half}.conv_norm_out.*", $"{half}.norm_out.*"),
                ($"{half}.conv_out.*", $"{half}.conv_out.*"),
            ]),
            .. Block("encoder.down_blocks.*.resnets.*", "encoder.down.*.block.*", s_autoencoderBlock),
            .. Attention("encoder.down_blocks.*.attentions.*", "encoder.down.*.attn.*"),
            ("encoder.down_blocks.*.downsample.conv.*", "encoder.down.*.downsample.conv.*"),
            // The decoder's stages are counted from the largest features, though it begins with the smallest.
            .. Enumerable.Range(0, config.Stages).SelectMany(step => (DialectRule[])
            [
                .. Block($"decoder.up_blocks.{step}.resnets.*", $"decoder.up.{config.Stages - 1 - step}.block.*", s_autoencoderBlock),
                .. Attention($"decoder.up_blocks.{step}.attentions.*", $"decoder.up.{config.Stages - 1 - step}.attn.*"),
                ($"decoder.up_blocks.{step}.upsample.conv.*", $"decoder.up.{config.Stages - 1 - step}.upsample.conv.*"),
            ]),
            ("quant_conv.*", "quant_conv.*"),
            ("post_quant_conv.*", "post_quant_conv.*"),
        ],
        Ignored = ["loss.**", "model_ema.**"],
    };

    private static IEnumerable<DialectRule> Block(string ours, string theirs, (string Ours, string Theirs)[] layers) =>
        layers.Select(layer => new DialectRule($"{ours}.{layer.Ours}.*", $"{theirs}.{layer.Theirs}.*"));

    private static IEnumerable<DialectRule> Attention(string ours, string theirs) =>
    [
        ($"{ours}.group_norm.*", $"{theirs}.norm.*"),
        new($"{ours}.attn.qkv.weight", $"{theirs}.{{q,k,v}}.weight") { Reshape = DiffusersDialect.AsConvolution },
        ($"{ours}.attn.qkv.bias", $"{theirs}.{{q,k,v}}.bias"),
        new($"{ours}.attn.proj.weight", $"{theirs}.proj_out.weight") { Reshape = DiffusersDialect.AsConvolution },
        ($"{ours}.attn.proj.bias", $"{theirs}.proj_out.bias"),
    ];
}
