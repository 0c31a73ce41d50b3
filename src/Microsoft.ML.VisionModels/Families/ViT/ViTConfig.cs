using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>Which tokens the head reads.</summary>
internal enum ViTPooling
{
    /// <summary>The class token.</summary>
    Class,

    /// <summary>The mean of the patch tokens.</summary>
    Mean,

    /// <summary>The class token, and after it the mean of the patch tokens, [2 D] (DINOv2's classifiers).</summary>
    ClassAndMean,

    /// <summary>A learned token that looks at all patches after the last block (SigLIP).</summary>
    Attention,
}

/// <summary>The hyper-parameters of a Vision Transformer.</summary>
internal sealed partial record ViTConfig
{
    [ConfigKey("image_size")]
    public ImageSize ImageSize { get; init; } = 224;
    [ConfigKey("patch_size")]
    public ImageSize PatchSize { get; init; } = 16;
    [ConfigKey("num_channels")]
    public int Channels { get; init; } = 3;
    [ConfigKey("hidden_size")]
    public int Width { get; init; } = 768;
    [ConfigKey("num_hidden_layers")]
    public int Depth { get; init; } = 12;
    [ConfigKey("num_attention_heads")]
    public int Heads { get; init; } = 12;
    [ConfigKey("intermediate_size")]
    public int MlpWidth { get; init; } = 3072;
    [ConfigKey("hidden_act")]
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>1e-6 in the original code, timm and DINOv2; Hugging Face's files of the others say 1e-12.</summary>
    [ConfigKey("layer_norm_eps")]
    public double NormEps { get; init; } = 1e-6;

    [ConfigKey("qkv_bias")]
    public bool QkvBias { get; init; } = true;
    public bool PatchBias { get; init; } = true;

    public bool ClassToken { get; init; } = true;

    /// <summary>DeiT's second token, after the class token.</summary>
    public bool DistillationToken { get; init; }

    /// <summary>A second head on the distillation token; the answer is the mean of both heads.</summary>
    public bool DistillationHead { get; init; }

    /// <summary>Tokens without a position or a meaning of their own, before the patches (arXiv 2309.16588).</summary>
    [FromTo(0)]
    public int RegisterTokens { get; init; }

    /// <summary>A layer norm on the embeddings, before the first block (CLIP).</summary>
    public bool EmbeddingNorm { get; init; }

    /// <summary>A dense layer and tanh on the class token that make the embedding (Hugging Face's <c>ViTModel</c>); a classifier has none.</summary>
    public bool Pooler { get; init; }

    public ViTPooling Pooling { get; init; } = ViTPooling.Class;

    /// <summary>The number of classes, or null for a network without a head.</summary>
    public int? Classes { get; init; }

    /// <summary>How positions are resampled for images of another size; null refuses these.</summary>
    public PositionInterpolation? Interpolation { get; init; }

    [ConfigKey("hidden_dropout_prob")]
    public double Dropout { get; init; }
    [ConfigKey("attention_probs_dropout_prob", "attention_dropout")]
    public double AttentionDropout { get; init; }
    public double DropPath { get; init; }

    /// <summary>The starting value of a learned scale per channel on each branch, or null for none. Of what is published here, DINOv2 alone has it.</summary>
    public double? LayerScale { get; init; }

    /// <summary>Patches of an image of <see cref="ImageSize"/>.</summary>
    public ImageSize Grid => ImageSize.DividedInto(PatchSize);

    /// <summary>Tokens before the registers and patches that have a row in the position embedding.</summary>
    public int PositionedTokens => (ClassToken ? 1 : 0) + (DistillationToken ? 1 : 0);

    /// <summary>Tokens before the patches.</summary>
    public int PrefixTokens => PositionedTokens + RegisterTokens;

    /// <summary>The length of the vector that the head reads.</summary>
    public int PooledWidth => Pooling == ViTPooling.ClassAndMean ? 2 * Width : Width;

    /// <summary>Whether this is a network of DINOv2 (arXiv 2304.07193), with registers (arXiv 2309.16588) or without.</summary>
    public bool IsDinoV2 => LayerScale is not null;

    public TransformerConfig Transformer => new()
    {
        Width = Width,
        Depth = Depth,
        Heads = Heads,
        MlpWidth = MlpWidth,
        Activation = Activation,
        NormEps = NormEps,
        QkvBias = QkvBias,
        LayerScale = LayerScale,
        Dropout = Dropout,
        AttentionDropout = AttentionDropout,
        DropPath = DropPath,
    };

    /// <summary>The network of a preset, without a head.</summary>
    public static ViTConfig Of(ViTPreset preset) => preset switch
    {
        ViTPreset.SmallImage => new() { ImageSize = 32, PatchSize = 4, Width = 128, Depth = 6, Heads = 4, MlpWidth = 256 },
        ViTPreset.Tiny16 or ViTPreset.DeiTTiny16 => new() { Width = 192, Heads = 3, MlpWidth = 768 },
        ViTPreset.Small16 or ViTPreset.DeiTSmall16 => new() { Width = 384, Heads = 6, MlpWidth = 1536 },
        ViTPreset.Small32 => new() { PatchSize = 32, Width = 384, Heads = 6, MlpWidth = 1536 },
        ViTPreset.Base16 or ViTPreset.DeiTBase16 => new(),
        ViTPreset.Base32 => new() { PatchSize = 32 },
        ViTPreset.Large16 => new() { Width = 1024, Depth = 24, Heads = 16, MlpWidth = 4096 },
        ViTPreset.Large32 => new() { PatchSize = 32, Width = 1024, Depth = 24, Heads = 16, MlpWidth = 4096 },
        ViTPreset.Huge14 => new() { PatchSize = 14, Width = 1280, Depth = 32, Heads = 16, MlpWidth = 5120 },
        ViTPreset.DeiTTiny16Distilled => Of(ViTPreset.DeiTTiny16) with { DistillationToken = true, DistillationHead = true },
        ViTPreset.DeiTSmall16Distilled => Of(ViTPreset.DeiTSmall16) with { DistillationToken = true, DistillationHead = true },
        ViTPreset.DeiTBase16Distilled => Of(ViTPreset.DeiTBase16) with { DistillationToken = true, DistillationHead = true },
        ViTPreset.Giant14 => new() { PatchSize = 14, Width = 1536, Depth = 40, Heads = 24, MlpWidth = 4096, Activation = Activation.SwiGlu, LayerScale = 1e-5 },
        _ => throw new ArgumentOutOfRangeException(nameof(preset), preset, "Unknown preset."),
    };

    /// <exception cref="ArgumentException">Patches do not fill an image of this size.</exception>
    public void RequireFilled(ImageSize imageSize)
    {
        if ((imageSize.Height % PatchSize.Height, imageSize.Width % PatchSize.Width) != (0, 0))
        {
            throw new ArgumentException(
                $"ImageSize is {imageSize}, which patches of {PatchSize} do not fill: pixels at the edge would be left out. Choose a multiple of the patch size.");
        }
    }

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public ViTConfig Validate()
    {
        HyperParameters.Check(this);
        if (Grid.Area <= 0)
            throw new ArgumentException($"An image of {ImageSize} pixels holds no patch of {PatchSize}.");
        if (Width % Heads != 0)
            throw new ArgumentException($"The width {Width} cannot be divided among {Heads} attention heads.");
        if (!ClassToken && (Pooling is ViTPooling.Class or ViTPooling.ClassAndMean || Pooler))
            throw new ArgumentException("Without a class token, pooling must be the mean or attention, without a pooler.");
        if (DistillationHead && !DistillationToken)
            throw new ArgumentException("A distillation head needs a distillation token.");
        return this;
    }
}
