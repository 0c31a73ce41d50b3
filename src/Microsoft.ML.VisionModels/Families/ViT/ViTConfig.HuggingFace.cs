using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ViT;

internal sealed partial record ViTConfig
{
    private const int LibraryDefaultClasses = 2;

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>vit</c> or <c>deit</c>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The names in the checkpoint beside it: these alone tell whether a pooler is there. Null: a network without a head has one.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static ViTConfig FromHuggingFace(JsonElement config, IEnumerable<string>? tensors = null)
    {
        var type = config.Get("model_type", "vit");
        if (type is not ("vit" or "deit"))
            throw new CheckpointException($"The configuration has model_type '{type}'; a Vision Transformer has 'vit' or 'deit'.");

        var architecture = config.Architecture();
        var classifier = architecture.Contains("ForImageClassification", StringComparison.Ordinal);
        return new ViTConfig
        {
            ImageSize = config.Size("image_size", 224),
            PatchSize = config.Size("patch_size", 16),
            Channels = config.Get("num_channels", 3),
            Width = config.Get("hidden_size", 768),
            Depth = config.Get("num_hidden_layers", 12),
            Heads = config.Get("num_attention_heads", 12),
            MlpWidth = config.Get("intermediate_size", 3072),
            Activation = Activations.Parse(config.Get("hidden_act", "gelu")),
            NormEps = config.Get("layer_norm_eps", 1e-12),
            QkvBias = config.Get("qkv_bias", true),
            Dropout = config.Get("hidden_dropout_prob", 0.0),
            AttentionDropout = config.Get("attention_probs_dropout_prob", 0.0),
            DistillationToken = type == "deit",
            DistillationHead = architecture.EndsWith("WithTeacher", StringComparison.Ordinal),
            Classes = classifier ? (config.Labels()?.Length ?? LibraryDefaultClasses) : null,
            Pooler = tensors?.Any(name => name.EndsWith("pooler.dense.weight", StringComparison.Ordinal)) ?? !classifier,
        }.Validate();
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

        var type = DistillationToken ? "deit" : "vit";
        var model = DistillationToken ? "DeiT" : "ViT";
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(model + (Classes is null ? "Model" : DistillationHead ? "ForImageClassificationWithTeacher" : "ForImageClassification")),
            ["attention_probs_dropout_prob"] = AttentionDropout,
            ["encoder_stride"] = PatchSize.Height,
            ["hidden_act"] = Activation.HuggingFaceName(),
            ["hidden_dropout_prob"] = Dropout,
            ["hidden_size"] = Width,
            ["image_size"] = ImageSize.ToJson(),
            ["initializer_range"] = ViTNetwork.InitialStd,
            ["intermediate_size"] = MlpWidth,
            ["layer_norm_eps"] = NormEps,
            ["model_type"] = type,
            ["num_attention_heads"] = Heads,
            ["num_channels"] = Channels,
            ["num_hidden_layers"] = Depth,
            ["patch_size"] = PatchSize.ToJson(),
            ["qkv_bias"] = QkvBias,
            ["torch_dtype"] = "float32",
        };
        if (labels is not null)
            json.AddLabels(labels);
        return json;
    }
}
