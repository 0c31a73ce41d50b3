using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>How the published checkpoints of Swin and Swin V2 name their tensors.</summary>
internal static class SwinDialect
{
    // What follows from the window's size alone; older files hold it.
    private static readonly string[] s_buffers = ["**.relative_position_index", "**.relative_coords_table", "**.attn_mask"];

    /// <summary>The names that a file may speak.</summary>
    public static IReadOnlyList<Dialect> All(SwinConfig config) => [HuggingFace(config), Microsoft(config), Timm(config)];

    /// <summary>Hugging Face's names for this network. Without a head they carry no prefix, with one <c>swin.</c> or <c>swinv2.</c>; either is read.</summary>
    public static Dialect HuggingFace(SwinConfig config) => new("Hugging Face")
    {
        Prefixes = config.Version == SwinVersion.V2 ? ["swinv2."] : ["swin."],
        Rules =
        [
            ("patch_embed.proj.*", "embeddings.patch_embeddings.projection.*"),
            ("patch_embed.norm.*", "embeddings.norm.*"),
            ("stages.*.blocks.*.norm1.*", "encoder.layers.*.blocks.*.layernorm_before.*"),
            .. config.Version == SwinVersion.V2
                ? (DialectRule[])[
                    ("stages.*.blocks.*.attn.q_bias", "encoder.layers.*.blocks.*.attention.self.query.bias"),
                    ("stages.*.blocks.*.attn.v_bias", "encoder.layers.*.blocks.*.attention.self.value.bias"),
                ]
                : [],
            ("stages.*.blocks.*.attn.qkv.*", "encoder.layers.*.blocks.*.attention.self.{query,key,value}.*"),
            ("stages.*.blocks.*.attn.logit_scale", "encoder.layers.*.blocks.*.attention.self.logit_scale"),
            ("stages.*.blocks.*.attn.proj.*", "encoder.layers.*.blocks.*.attention.output.dense.*"),
            ("stages.*.blocks.*.position_bias.table", "encoder.layers.*.blocks.*.attention.self.relative_position_bias_table"),
            ("stages.*.blocks.*.position_bias.fc1.*", "encoder.layers.*.blocks.*.attention.self.continuous_position_bias_mlp.0.*"),
            ("stages.*.blocks.*.position_bias.fc2.*", "encoder.layers.*.blocks.*.attention.self.continuous_position_bias_mlp.2.*"),
            ("stages.*.blocks.*.norm2.*", "encoder.layers.*.blocks.*.layernorm_after.*"),
            ("stages.*.blocks.*.mlp.fc1.*", "encoder.layers.*.blocks.*.intermediate.dense.*"),
            ("stages.*.blocks.*.mlp.fc2.*", "encoder.layers.*.blocks.*.output.dense.*"),
            ("stages.*.downsample.**", "encoder.layers.*.downsample.**"),
            ("norm.*", "layernorm.*"),
            ("feature_norms.*.*", "hidden_states_norms.*.*"),
        ],
        Heads = [("head.*", "classifier.*")],
        // What masked-image pretraining leaves behind.
        Ignored = [.. s_buffers, "embeddings.mask_token", "decoder.**"],
    };

    /// <summary>
    /// What Hugging Face's files of V1 hold beside the weights: for each block, the row that two tokens' offset has in the table of
    /// biases, [T, T]. Reading does without; releases of their library that fill only what a file holds do not.
    /// </summary>
    public static IEnumerable<(string Name, Tensor Value)> HuggingFaceBuffers(SwinConfig config)
    {
        if (config.Version == SwinVersion.V2)
            yield break;
        var prefix = config.Classes is null ? "" : "swin.";
        var tokens = config.WindowSize * config.WindowSize;
        for (var stage = 0; stage < config.Stages; stage++)
        {
            for (var block = 0; block < config.Depths[stage]; block++)
            {
                yield return ($"{prefix}encoder.layers.{stage}.blocks.{block}.attention.self.relative_position_index",
                    tensor(RelativePositions.Rows(config.WindowSize, config.WindowSize)).view(tokens, tokens));
            }
        }
    }

    /// <summary>The names of the authors' own files.</summary>
    public static Dialect Microsoft(SwinConfig config) => new("Microsoft")
    {
        Rules = [.. Original(config, firstWithMerging: 0), ("head.*", "head.*")],
        Ignored = s_buffers,
    };

    /// <summary>timm's names: a stage begins with the merging that the authors have at the end of the one before.</summary>
    public static Dialect Timm(SwinConfig config) => new("timm")
    {
        Rules = [.. Original(config, firstWithMerging: 1), ("head.*", "head.fc.*")],
        Ignored = s_buffers,
    };

    private static IEnumerable<DialectRule> Original(SwinConfig config, int firstWithMerging) =>
    [
        ("patch_embed.**", "patch_embed.**"),
        ("stages.*.blocks.*.position_bias.table", "layers.*.blocks.*.attn.relative_position_bias_table"),
        ("stages.*.blocks.*.position_bias.fc1.*", "layers.*.blocks.*.attn.cpb_mlp.0.*"),
        ("stages.*.blocks.*.position_bias.fc2.*", "layers.*.blocks.*.attn.cpb_mlp.2.*"),
        ("stages.*.blocks.**", "layers.*.blocks.**"),
        .. Enumerable.Range(0, config.LastStage)
            .Select(stage => new DialectRule($"stages.{stage}.downsample.**", $"layers.{stage + firstWithMerging}.downsample.**")),
        ("norm.*", "norm.*"),
        ("feature_norms.**", "feature_norms.**"),
    ];
}
