using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>How the published checkpoints of ViT, DeiT, DINO, DINOv2 and MAE name their tensors.</summary>
internal static class ViTDialect
{
    // What has the same names in timm's files and in DINOv2's.
    private static readonly DialectRule[] s_original =
    [
        ("cls_token", "cls_token"),
        ("pos_embed", "pos_embed"),
        ("patch_embed.proj.*", "patch_embed.proj.*"),
        ("blocks.*.norm1.*", "blocks.*.norm1.*"),
        ("blocks.*.attn.**", "blocks.*.attn.**"),
        ("blocks.*.ls1.gamma", "blocks.*.ls1.gamma"),
        ("blocks.*.norm2.*", "blocks.*.norm2.*"),
        ("blocks.*.ls2.gamma", "blocks.*.ls2.gamma"),
        ("norm.*", "norm.*"),
        ("head.*", "head.*"),
    ];

    private static readonly DialectRule[] s_huggingFace =
    [
        ("cls_token", "embeddings.cls_token"),
        ("pos_embed", "embeddings.position_embeddings"),
        ("patch_embed.proj.*", "embeddings.patch_embeddings.projection.*"),
        ("blocks.*.attn.qkv.*", "encoder.layer.*.attention.attention.{query,key,value}.*"),
        ("blocks.*.attn.proj.*", "encoder.layer.*.attention.output.dense.*"),
        ("norm.*", "layernorm.*"),
    ];

    /// <summary>The names that a file of this network may speak, the first of which are written.</summary>
    public static IReadOnlyList<Dialect> All(ViTConfig config) => config.IsDinoV2 ? [HuggingFace(config), DinoV2(config), Timm] : [HuggingFace(config), Timm];

    /// <summary>timm's names, which are also those of the original DeiT, DINO and MAE files, and our own.</summary>
    public static Dialect Timm { get; } = new("timm")
    {
        Rules =
        [
            .. s_original,
            ("dist_token", "dist_token"),
            ("reg_token", "reg_token"),
            ("norm_pre.*", "norm_pre.*"),
            ("blocks.*.mlp.fc1.*", "blocks.*.mlp.fc1.*"),
            ("blocks.*.mlp.fc2.*", "blocks.*.mlp.fc2.*"),
            ("pooler.*", "pooler.*"),
            ("head_dist.*", "head_dist.*"),
        ],
        // MAE's decoder, which has done its work.
        Ignored = ["mask_token", "decoder_pos_embed", "decoder_embed.*", "decoder_blocks.**", "decoder_norm.*", "decoder_pred.*"],
    };

    /// <summary>The names of DINOv2's original files, where a SwiGLU's layers and the registers have others than timm's.</summary>
    public static Dialect DinoV2(ViTConfig config) => new("facebookresearch/dinov2")
    {
        Rules =
        [
            .. s_original,
            ("reg_token", "register_tokens"),
            ("blocks.*.mlp.fc1.*", $"blocks.*.mlp.{(config.Activation == Activation.SwiGlu ? "w12" : "fc1")}.*"),
            ("blocks.*.mlp.fc2.*", $"blocks.*.mlp.{(config.Activation == Activation.SwiGlu ? "w3" : "fc2")}.*"),
        ],
        Ignored = ["mask_token"],
    };

    /// <summary>Hugging Face's names for this network. Without a head they carry no prefix, with one that of the model type; others are read too.</summary>
    public static Dialect HuggingFace(ViTConfig config) => config.IsDinoV2 ? HuggingFaceDinoV2(config) : HuggingFaceViT(config);

    private static Dialect HuggingFaceViT(ViTConfig config) => new("Hugging Face")
    {
        Prefixes = config.DistillationToken ? ["deit.", "vit."] : ["vit.", "deit."],
        Rules =
        [
            .. s_huggingFace,
            ("dist_token", "embeddings.distillation_token"),
            ("blocks.*.norm1.*", "encoder.layer.*.layernorm_before.*"),
            ("blocks.*.norm2.*", "encoder.layer.*.layernorm_after.*"),
            ("blocks.*.mlp.fc1.*", "encoder.layer.*.intermediate.dense.*"),
            ("blocks.*.mlp.fc2.*", "encoder.layer.*.output.dense.*"),
            ("pooler.*", "pooler.dense.*"),
        ],
        Heads = config.DistillationHead
            ? [("head.*", "cls_classifier.*"), ("head_dist.*", "distillation_classifier.*")]
            : [("head.*", "classifier.*")],
        // What masked-image pretraining leaves behind, and a pooler that a classifier does not read.
        Ignored = config.Pooler ? ["embeddings.mask_token", "decoder.**"] : ["embeddings.mask_token", "decoder.**", "pooler.dense.*"],
    };

    private static Dialect HuggingFaceDinoV2(ViTConfig config) => new("Hugging Face")
    {
        Prefixes = config.RegisterTokens > 0 ? ["dinov2_with_registers.", "dinov2."] : ["dinov2.", "dinov2_with_registers."],
        Rules =
        [
            .. s_huggingFace,
            ("reg_token", "embeddings.register_tokens"),
            ("blocks.*.norm1.*", "encoder.layer.*.norm1.*"),
            ("blocks.*.ls1.gamma", "encoder.layer.*.layer_scale1.lambda1"),
            ("blocks.*.norm2.*", "encoder.layer.*.norm2.*"),
            ("blocks.*.ls2.gamma", "encoder.layer.*.layer_scale2.lambda1"),
            ("blocks.*.mlp.fc1.*", $"encoder.layer.*.mlp.{(config.Activation == Activation.SwiGlu ? "weights_in" : "fc1")}.*"),
            ("blocks.*.mlp.fc2.*", $"encoder.layer.*.mlp.{(config.Activation == Activation.SwiGlu ? "weights_out" : "fc2")}.*"),
        ],
        Heads = [("head.*", "classifier.*")],
        Ignored = ["embeddings.mask_token"],
    };
}
