using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>How the published checkpoints of SAM and MobileSAM name their tensors.</summary>
internal static class SamDialect
{
    private static readonly Func<long[], long[]> s_asRow = shape => [1, .. shape];      // embeddings, [1, C]

    /// <summary>The names that a file may speak.</summary>
    public static IReadOnlyList<Dialect> All(SamConfig config) => config.Vision is null ? [Original(config)] : [HuggingFace(config), Original(config)];

    /// <summary>The names in which Hugging Face publishes a network with SAM's own encoder, and Meta one with MobileSAM's.</summary>
    public static Dialect Published(SamConfig config) => All(config)[0];

    private static Dialect HuggingFace(SamConfig config) => new("Hugging Face")
    {
        Rules =
        [
            ("image_encoder.pos_embed", "vision_encoder.pos_embed"),
            ("image_encoder.patch_embed.*", "vision_encoder.patch_embed.projection.*"),
            .. Blocks("vision_encoder.layers", "layer_norm"),
            ("image_encoder.neck.conv*.weight", "vision_encoder.neck.conv*.weight"),
            ("image_encoder.neck.norm*.*", "vision_encoder.neck.layer_norm*.*"),
            ("prompt_encoder.frequencies", "shared_image_embedding.positional_embedding | prompt_encoder.shared_embedding.positional_embedding"),
            ("prompt_encoder.point_embed", "prompt_encoder.point_embed.{0,1,2,3}.weight"),
            new("prompt_encoder.not_a_point", "prompt_encoder.not_a_point_embed.weight") { Reshape = s_asRow },
            new("prompt_encoder.no_mask", "prompt_encoder.no_mask_embed.weight") { Reshape = s_asRow },
            ("prompt_encoder.mask_conv*.*", "prompt_encoder.mask_embed.conv*.*"),
            ("prompt_encoder.mask_norm*.*", "prompt_encoder.mask_embed.layer_norm*.*"),
            .. Decoder("layer_norm"),
            ("mask_decoder.upscale1.*", "mask_decoder.upscale_conv1.*"),
            ("mask_decoder.upscale_norm.*", "mask_decoder.upscale_layer_norm.*"),
            ("mask_decoder.upscale2.*", "mask_decoder.upscale_conv2.*"),
            .. Head("mask_decoder.mask_heads.*", "mask_decoder.output_hypernetworks_mlps.*", layers: 3),
            .. Head("mask_decoder.iou_head", "mask_decoder.iou_prediction_head", config.IouHeadDepth),
        ],
    };

    /// <summary>The authors' own names, Meta's and MobileSAM's.</summary>
    private static Dialect Original(SamConfig config) => new(config.Vision is null ? "MobileSAM" : "Meta")
    {
        Rules =
        [
            .. config.TinyVit is { } tinyVit ? TinyVitDialect.Rules(tinyVit, "image_encoder.") :
            [
                ("image_encoder.pos_embed", "image_encoder.pos_embed"),
                ("image_encoder.patch_embed.*", "image_encoder.patch_embed.proj.*"),
                .. Blocks("image_encoder.blocks", "norm"),
                ("image_encoder.neck.conv1.weight", "image_encoder.neck.0.weight"),
                ("image_encoder.neck.norm1.*", "image_encoder.neck.1.*"),
                ("image_encoder.neck.conv2.weight", "image_encoder.neck.2.weight"),
                ("image_encoder.neck.norm2.*", "image_encoder.neck.3.*"),
            ],
            ("prompt_encoder.frequencies", "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
            ("prompt_encoder.point_embed", "prompt_encoder.point_embeddings.{0,1,2,3}.weight"),
            new("prompt_encoder.not_a_point", "prompt_encoder.not_a_point_embed.weight") { Reshape = s_asRow },
            new("prompt_encoder.no_mask", "prompt_encoder.no_mask_embed.weight") { Reshape = s_asRow },
            ("prompt_encoder.mask_conv1.*", "prompt_encoder.mask_downscaling.0.*"),
            ("prompt_encoder.mask_norm1.*", "prompt_encoder.mask_downscaling.1.*"),
            ("prompt_encoder.mask_conv2.*", "prompt_encoder.mask_downscaling.3.*"),
            ("prompt_encoder.mask_norm2.*", "prompt_encoder.mask_downscaling.4.*"),
            ("prompt_encoder.mask_conv3.*", "prompt_encoder.mask_downscaling.6.*"),
            .. Decoder("norm"),
            ("mask_decoder.upscale1.*", "mask_decoder.output_upscaling.0.*"),
            ("mask_decoder.upscale_norm.*", "mask_decoder.output_upscaling.1.*"),
            ("mask_decoder.upscale2.*", "mask_decoder.output_upscaling.3.*"),
            ("mask_decoder.mask_heads.*.layers.*.*", "mask_decoder.output_hypernetworks_mlps.*.layers.*.*"),
            ("mask_decoder.iou_head.layers.*.*", "mask_decoder.iou_prediction_head.layers.*.*"),
        ],
        Ignored = config.TinyVit is null ? [] : [.. TinyVitDialect.Ignored.Select(pattern => "image_encoder." + pattern)],
    };

    private static IEnumerable<DialectRule> Blocks(string theirs, string norm) =>
    [
        ("image_encoder.blocks.*.norm1.*", $"{theirs}.*.{norm}1.*"),
        ("image_encoder.blocks.*.attn.*.*", $"{theirs}.*.attn.*.*"),
        ("image_encoder.blocks.*.rel_pos.height", $"{theirs}.*.attn.rel_pos_h"),
        ("image_encoder.blocks.*.rel_pos.width", $"{theirs}.*.attn.rel_pos_w"),
        ("image_encoder.blocks.*.norm2.*", $"{theirs}.*.{norm}2.*"),
        ("image_encoder.blocks.*.mlp.fc1.*", $"{theirs}.*.mlp.lin1.*"),
        ("image_encoder.blocks.*.mlp.fc2.*", $"{theirs}.*.mlp.lin2.*"),
    ];

    private static IEnumerable<DialectRule> Decoder(string norm)
    {
        const string Blocks = "mask_decoder.blocks.*", Layers = "mask_decoder.transformer.layers.*";
        return
        [
            ("mask_decoder.iou_token", "mask_decoder.iou_token.weight"),
            ("mask_decoder.mask_tokens", "mask_decoder.mask_tokens.weight"),
            .. Attention($"{Blocks}.self_attn", $"{Layers}.self_attn"),
            .. Attention($"{Blocks}.token_to_image", $"{Layers}.cross_attn_token_to_image"),
            .. Attention($"{Blocks}.image_to_token", $"{Layers}.cross_attn_image_to_token"),
            .. Enumerable.Range(1, 4).Select(i => new DialectRule($"{Blocks}.norm{i}.*", $"{Layers}.{norm}{i}.*")),
            ($"{Blocks}.mlp.fc1.*", $"{Layers}.mlp.lin1.*"),
            ($"{Blocks}.mlp.fc2.*", $"{Layers}.mlp.lin2.*"),
            .. Attention("mask_decoder.final_attn", "mask_decoder.transformer.final_attn_token_to_image"),
            ("mask_decoder.final_norm.*", $"mask_decoder.transformer.{norm}_final_attn.*"),
        ];
    }

    private static IEnumerable<DialectRule> Attention(string ours, string theirs) =>
        new[] { ("q", "q_proj"), ("k", "k_proj"), ("v", "v_proj"), ("proj", "out_proj") }.Select(part => new DialectRule($"{ours}.{part.Item1}.*", $"{theirs}.{part.Item2}.*"));

    private static IEnumerable<DialectRule> Head(string ours, string theirs, int layers) => Enumerable.Range(0, layers).Select(layer => new DialectRule(
        $"{ours}.layers.{layer}.*", $"{theirs}.{(layer == 0 ? "proj_in" : layer == layers - 1 ? "proj_out" : $"layers.{layer - 1}")}.*"));
}
