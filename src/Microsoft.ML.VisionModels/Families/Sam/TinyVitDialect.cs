using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>How MobileSAM's files name the tensors of its image encoder, with batch norms folded as <see cref="TinyVitFoldedCheckpoint"/> does it.</summary>
internal static class TinyVitDialect
{
    /// <summary>What inference does without: TinyViT's classification head, and buffers that follow from the weights.</summary>
    public static readonly string[] Ignored = ["norm_head.*", "head.*", "**.attn.attention_bias_idxs", "**.attn.ab"];

    /// <summary>The image encoder by itself: a file that has nothing else, or its part of MobileSAM's.</summary>
    public static Dialect MobileSam(TinyVitConfig config) => new("MobileSAM")
    {
        Prefixes = ["image_encoder."],
        Rules = Rules(config),
        Ignored = [.. Ignored, "prompt_encoder.**", "mask_decoder.**"],
    };

    /// <summary>The names of the image encoder's tensors within a network.</summary>
    /// <param name="config">The hyper-parameters.</param>
    /// <param name="prefix">What the network and the files put before all of them.</param>
    public static DialectRule[] Rules(TinyVitConfig config, string prefix = "")
    {
        return
        [
            Rule("patch_embed.conv1.*", "patch_embed.seq.0.c.*"),
            Rule("patch_embed.conv2.*", "patch_embed.seq.2.c.*"),
            Rule("stages.*.blocks.*.norm1.*", "layers.*.blocks.*.attn.norm.*"),
            Rule("stages.*.blocks.*.position_bias.table", "layers.*.blocks.*.attn.attention_biases"),
            .. config.Heads.Select((heads, stage) => new DialectRule($"{prefix}stages.{stage}.blocks.*.attn.qkv.*", $"{prefix}layers.{stage}.blocks.*.attn.qkv.*")
            {
                // Theirs are the query, key and value of the first head, of the second head, and so on.
                View = ours => ours.unflatten(0, 3, heads, -1).transpose(0, 1),         // [3 D, ...] -> [heads, 3, D / heads, ...]
            }),
            Rule("stages.*.blocks.*.attn.proj.*", "layers.*.blocks.*.attn.proj.*"),
            Rule("stages.*.blocks.*.norm2.*", "layers.*.blocks.*.mlp.norm.*"),
            Rule("stages.*.blocks.*.mlp.*.*", "layers.*.blocks.*.mlp.*.*"),
            Rule("stages.*.blocks.*.*.*", "layers.*.blocks.*.*.c.*"),
            Rule("stages.*.downsample.*.*", "layers.*.downsample.*.c.*"),
            Rule("neck.conv1.weight", "neck.0.weight"),
            Rule("neck.norm1.*", "neck.1.*"),
            Rule("neck.conv2.weight", "neck.2.weight"),
            Rule("neck.norm2.*", "neck.3.*"),
        ];

        DialectRule Rule(string canonical, string foreign) => (prefix + canonical, prefix + foreign);
    }
}
