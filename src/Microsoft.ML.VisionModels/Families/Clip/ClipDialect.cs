using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>How the published checkpoints of CLIP and SigLIP name their tensors.</summary>
internal static class ClipDialect
{
    private static readonly Func<long[], long[]> s_asVector = shape => [shape[^1]];     // the class token, [1, 1, D]
    private static readonly Func<long[], long[]> s_asMatrix = shape => shape[1..];      // positions, [1, N, D]
    private static readonly Func<long[], long[]> s_asList = _ => [1];                   // a number

    /// <summary>The names that a file may bear, those of Hugging Face first.</summary>
    public static IReadOnlyList<Dialect> All(ClipConfig config) => config.Sigmoid ? [SigLip] : [HuggingFace, OpenAI];

    /// <summary>Hugging Face's names of CLIP.</summary>
    public static Dialect HuggingFace { get; } = new("Hugging Face")
    {
        Rules =
        [
            new("vision.vit.cls_token", "vision_model.embeddings.class_embedding") { Reshape = s_asVector },
            .. Towers,
            ("vision.vit.norm_pre.*", "vision_model.pre_layrnorm.*"),       // their spelling
            ("vision.proj.weight", "visual_projection.weight"),
            ("text.proj.weight", "text_projection.weight"),
            ("logit_scale", "logit_scale"),
        ],
        Ignored = ["**.position_ids"],
    };

    /// <summary>Hugging Face's names of SigLIP, which are those of CLIP where both have the part.</summary>
    public static Dialect SigLip { get; } = new("Hugging Face")
    {
        Rules =
        [
            .. Towers,
            ("vision.vit.attn_pool.probe", "vision_model.head.probe"),
            ("vision.vit.attn_pool.attn.qkv.*", "vision_model.head.attention.in_proj_*"),
            ("vision.vit.attn_pool.attn.proj.*", "vision_model.head.attention.out_proj.*"),
            ("vision.vit.attn_pool.norm.*", "vision_model.head.layernorm.*"),
            ("vision.vit.attn_pool.mlp.*.*", "vision_model.head.mlp.*.*"),
            ("text.proj.*", "text_model.head.*"),
            new("logit_scale", "logit_scale") { Reshape = s_asList },
            new("logit_bias", "logit_bias") { Reshape = s_asList },
        ],
        Ignored = ["**.position_ids"],
    };

    /// <summary>OpenAI's names, which are also open_clip's.</summary>
    public static Dialect OpenAI { get; } = new("OpenAI")
    {
        Rules =
        [
            new("vision.vit.cls_token", "visual.class_embedding") { Reshape = s_asVector },
            new("vision.vit.pos_embed", "visual.positional_embedding") { Reshape = s_asMatrix },
            ("vision.vit.patch_embed.proj.weight", "visual.conv1.weight"),
            ("vision.vit.norm_pre.*", "visual.ln_pre.*"),
            ("vision.vit.norm.*", "visual.ln_post.*"),
            .. Blocks("vision.vit.blocks", "visual.transformer.resblocks"),
            new("vision.proj.weight", "visual.proj") { Transpose = true },
            .. OpenAIText("text."),
            ("logit_scale", "logit_scale"),
        ],
        // What OpenAI's files say of themselves, and a mask that follows from the number of positions.
        Ignored = ["input_resolution", "context_length", "vocab_size", "attn_mask"],
    };

    /// <summary>The names of a text tower that is published alone, those of Hugging Face first.</summary>
    public static IReadOnlyList<Dialect> TextTower { get; } =
    [
        new("Hugging Face") { Rules = [.. HuggingFaceText(""), ("proj.weight", "text_projection.weight")], Ignored = ["**.position_ids"] },
        new("OpenAI") { Rules = [.. OpenAIText("")], Ignored = ["logit_scale", "attn_mask"] },
    ];

    private static IEnumerable<DialectRule> Towers =>
    [
        new("vision.vit.pos_embed", "vision_model.embeddings.position_embedding.weight") { Reshape = s_asMatrix },
        ("vision.vit.patch_embed.proj.*", "vision_model.embeddings.patch_embedding.*"),
        ("vision.vit.norm.*", "vision_model.post_layernorm.*"),
        .. Layers("vision.vit.blocks", "vision_model.encoder.layers"),
        .. HuggingFaceText("text."),
    ];

    private static IEnumerable<DialectRule> HuggingFaceText(string ours) =>
    [
        ($"{ours}token_embed", "text_model.embeddings.token_embedding.weight"),
        ($"{ours}pos_embed", "text_model.embeddings.position_embedding.weight"),
        .. Layers($"{ours}blocks", "text_model.encoder.layers"),
        ($"{ours}norm.*", "text_model.final_layer_norm.*"),
    ];

    private static IEnumerable<DialectRule> OpenAIText(string ours) =>
    [
        ($"{ours}token_embed", "token_embedding.weight"),
        ($"{ours}pos_embed", "positional_embedding"),
        .. Blocks($"{ours}blocks", "transformer.resblocks"),
        ($"{ours}norm.*", "ln_final.*"),
        new($"{ours}proj.weight", "text_projection") { Transpose = true },
    ];

    private static IEnumerable<DialectRule> Layers(string ours, string theirs) =>
    [
        ($"{ours}.*.norm1.*", $"{theirs}.*.layer_norm1.*"),
        ($"{ours}.*.attn.qkv.*", $"{theirs}.*.self_attn.{{q_proj,k_proj,v_proj}}.*"),
        ($"{ours}.*.attn.proj.*", $"{theirs}.*.self_attn.out_proj.*"),
        ($"{ours}.*.norm2.*", $"{theirs}.*.layer_norm2.*"),
        ($"{ours}.*.mlp.*.*", $"{theirs}.*.mlp.*.*"),
    ];

    private static IEnumerable<DialectRule> Blocks(string ours, string theirs) =>
    [
        ($"{ours}.*.norm1.*", $"{theirs}.*.ln_1.*"),
        ($"{ours}.*.attn.qkv.*", $"{theirs}.*.attn.in_proj_*"),
        ($"{ours}.*.attn.proj.*", $"{theirs}.*.attn.out_proj.*"),
        ($"{ours}.*.norm2.*", $"{theirs}.*.ln_2.*"),
        ($"{ours}.*.mlp.fc1.*", $"{theirs}.*.mlp.c_fc.*"),
        ($"{ours}.*.mlp.fc2.*", $"{theirs}.*.mlp.c_proj.*"),
    ];
}
