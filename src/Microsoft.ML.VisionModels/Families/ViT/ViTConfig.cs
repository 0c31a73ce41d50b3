using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>Which tokens the head reads.</summary>
internal enum ViTPooling
{
    /// <summary>The class token.</summary>
    Class,

    /// <summary>The mean of the patch tokens.</summary>
    Mean,

    /// <summary>A learned token that looks at all patches after the last block (SigLIP).</summary>
    Attention,
}

/// <summary>The hyper-parameters of a Vision Transformer.</summary>
internal sealed record ViTConfig
{
    /// <summary>Hugging Face's names of such networks.</summary>
    internal static readonly string[] ModelTypes = ["vit", "deit"];

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

    /// <summary>1e-6 in the original code and timm; Hugging Face's files say 1e-12.</summary>
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
    public double? LayerScale { get; init; }

    /// <summary>Patches of an image of <see cref="ImageSize"/>.</summary>
    public ImageSize Grid => ImageSize.DividedInto(PatchSize);

    /// <summary>Tokens before the registers and patches that have a row in the position embedding.</summary>
    public int PositionedTokens => (ClassToken ? 1 : 0) + (DistillationToken ? 1 : 0);

    /// <summary>Tokens before the patches.</summary>
    public int PrefixTokens => PositionedTokens + RegisterTokens;

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
        _ => throw new ArgumentOutOfRangeException(nameof(preset), preset, "Unknown preset."),
    };

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>vit</c> or <c>deit</c>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The tensors in the checkpoint beside it: these tell which heads are there, and whether a pooler is. Null: the architecture's name tells.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static ViTConfig FromHuggingFace(JsonElement config, IReadOnlyDictionary<string, TensorInfo>? tensors = null)
    {
        var classes = PublishedClasses.Count(config, tensors, "classifier.weight", "cls_classifier.weight", "head.weight");
        return (ConfigKeys.Read(config, new ViTConfig { NormEps = 1e-12 }) with
        {
            DistillationToken = config.ModelType(ModelTypes) == "deit",
            DistillationHead = tensors is null
                ? config.Architecture().EndsWith("WithTeacher", StringComparison.Ordinal)
                : PublishedClasses.Has(tensors, "distillation_classifier.weight") || PublishedClasses.Has(tensors, "head_dist.weight"),
            Classes = classes,
            Pooler = tensors is null ? classes is null : PublishedClasses.Has(tensors, "pooler.dense.weight"),
        }).Validate();
    }

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="labels">The class names, one for each class; null for a network without a head.</param>
    /// <exception cref="InvalidOperationException">The library's ViT and DeiT have no such part.</exception>
    public JsonObject ToHuggingFace(IReadOnlyList<string>? labels)
    {
        if (LayerScale is not null || EmbeddingNorm || RegisterTokens > 0 || !ClassToken || !PatchBias || Pooling != ViTPooling.Class)
            throw new InvalidOperationException("Hugging Face's ViT and DeiT know no layer scale, embedding norm, register tokens, mean pooling, and no network without class token or patch bias.");
        if (Classes != labels?.Count)
            throw new ArgumentException($"The network has {Classes ?? 0} classes, but {labels?.Count ?? 0} labels were given.", nameof(labels));

        var model = DistillationToken ? "DeiT" : "ViT";
        var json = ConfigKeys.Write(this, new Dictionary<string, JsonNode?>
        {
            ["architectures"] = new JsonArray(model + (Classes is null ? "Model" : DistillationHead ? "ForImageClassificationWithTeacher" : "ForImageClassification")),
            ["encoder_stride"] = PatchSize.Height,
            ["initializer_range"] = ViTNetwork.InitialStd,
            ["model_type"] = model.ToLowerInvariant(),
            ["torch_dtype"] = "float32",
        });
        if (labels is not null)
            json.AddLabels(labels);
        return json;
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
        if (!ClassToken && (Pooling == ViTPooling.Class || Pooler))
            throw new ArgumentException("Without a class token, pooling must be the mean or attention, without a pooler.");
        if (DistillationHead && !DistillationToken)
            throw new ArgumentException("A distillation head needs a distillation token.");
        return this;
    }
}
