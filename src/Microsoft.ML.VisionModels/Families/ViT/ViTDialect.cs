using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>How the published checkpoints of ViT and DeiT name their tensors.</summary>
internal static class ViTDialect
{
    /// <summary>timm's names, which are also those of the original DeiT and DINO files, and our own.</summary>
    public static Dialect Timm { get; } = new("timm")
    {
        Rules =
        [
            ("cls_token", "cls_token"),
            ("dist_token", "dist_token"),
            ("reg_token", "reg_token"),
            ("pos_embed", "pos_embed"),
            ("patch_embed.proj.*", "patch_embed.proj.*"),
            ("norm_pre.*", "norm_pre.*"),
            ("blocks.**", "blocks.**"),
            ("norm.*", "norm.*"),
            ("pooler.*", "pooler.*"),
            ("head.*", "head.*"),
            ("head_dist.*", "head_dist.*"),
        ],
    };

    /// <summary>Hugging Face's names for this network. Without a head they carry no prefix, with one <c>vit.</c> or <c>deit.</c>; either is read.</summary>
    public static Dialect HuggingFace(ViTConfig config) => new("Hugging Face")
    {
        Prefixes = config.DistillationToken ? ["deit.", "vit."] : ["vit.", "deit."],
        Rules =
        [
            ("cls_token", "embeddings.cls_token"),
            ("dist_token", "embeddings.distillation_token"),
            ("pos_embed", "embeddings.position_embeddings"),
            ("patch_embed.proj.*", "embeddings.patch_embeddings.projection.*"),
            ("blocks.*.norm1.*", "encoder.layer.*.layernorm_before.*"),
            ("blocks.*.attn.qkv.*", "encoder.layer.*.attention.attention.{query,key,value}.*"),
            ("blocks.*.attn.proj.*", "encoder.layer.*.attention.output.dense.*"),
            ("blocks.*.norm2.*", "encoder.layer.*.layernorm_after.*"),
            ("blocks.*.mlp.fc1.*", "encoder.layer.*.intermediate.dense.*"),
            ("blocks.*.mlp.fc2.*", "encoder.layer.*.output.dense.*"),
            ("norm.*", "layernorm.*"),
            ("pooler.*", "pooler.dense.*"),
        ],
        Heads = config.DistillationHead
            ? [("head.*", "cls_classifier.*"), ("head_dist.*", "distillation_classifier.*")]
            : [("head.*", "classifier.*")],
        // What masked-image pretraining leaves behind, and a pooler that a classifier does not read.
        Ignored = config.Pooler ? ["embeddings.mask_token", "decoder.**"] : ["embeddings.mask_token", "decoder.**", "pooler.dense.*"],
    };
}
