using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.ViT;

internal sealed partial record ViTConfig
{
    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>vit</c> or <c>deit</c>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The names in the checkpoint beside it: these alone tell whether a pooler is there. Null: a network without a head has one.</param>
    /// <exception cref="FormatException">Another model type, or a value that cannot be used; the message names the key.</exception>
    public static ViTConfig FromHuggingFace(JsonElement config, IEnumerable<string>? tensors = null)
    {
        if (config.ValueKind != JsonValueKind.Object)
            throw new FormatException("config.json does not hold a JSON object.");
        var type = Text(config, "model_type", "vit");
        if (type is not ("vit" or "deit"))
            throw new FormatException($"config.json has model_type '{type}'; a Vision Transformer has 'vit' or 'deit'.");

        var architecture = Architecture(config);
        var classifier = architecture.Contains("ForImageClassification", StringComparison.Ordinal);
        var width = Integer(config, "hidden_size", 768);
        return new ViTConfig
        {
            ImageSize = Size(config, "image_size", 224),
            PatchSize = Size(config, "patch_size", 16),
            Channels = Integer(config, "num_channels", 3),
            Width = width,
            Depth = Integer(config, "num_hidden_layers", 12),
            Heads = Integer(config, "num_attention_heads", 12),
            MlpWidth = Integer(config, "intermediate_size", 3072),
            Activation = Activations.Parse(Text(config, "hidden_act", "gelu")),
            NormEps = Number(config, "layer_norm_eps", 1e-12),
            QkvBias = Flag(config, "qkv_bias", true),
            Dropout = Number(config, "hidden_dropout_prob", 0),
            AttentionDropout = Number(config, "attention_probs_dropout_prob", 0),
            DistillationToken = type == "deit",
            DistillationHead = architecture.EndsWith("WithTeacher", StringComparison.Ordinal),
            Classes = classifier ? Labels(config).Count : null,
            Pooler = tensors?.Any(name => name.EndsWith("pooler.dense.weight", StringComparison.Ordinal)) ?? !classifier,
        }.Validate();
    }

    /// <summary>The class names of <c>id2label</c> in their order; <c>LABEL_0</c> and <c>LABEL_1</c> where there is none, as in the library.</summary>
    /// <exception cref="FormatException">The ids are not 0 to n - 1, or a name is not text.</exception>
    public static IReadOnlyList<string> Labels(JsonElement config)
    {
        if (!config.TryGetProperty("id2label", out var map) || map.ValueKind == JsonValueKind.Null)
            return ["LABEL_0", "LABEL_1"];
        if (map.ValueKind != JsonValueKind.Object)
            throw Unusable("id2label", map);
        var labels = new string?[map.EnumerateObject().Count()];
        foreach (var entry in map.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, out var id) || id < 0 || id >= labels.Length || labels[id] is not null || entry.Value.ValueKind != JsonValueKind.String)
                throw new FormatException($"id2label in config.json must name the classes 0 to {labels.Length - 1} once each; '{entry.Name}': {entry.Value} does not fit.");
            labels[id] = entry.Value.GetString();
        }
        return labels!;
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
            ["image_size"] = Size(ImageSize),
            ["initializer_range"] = ViTNetwork.InitialStd,
            ["intermediate_size"] = MlpWidth,
            ["layer_norm_eps"] = NormEps,
            ["model_type"] = type,
            ["num_attention_heads"] = Heads,
            ["num_channels"] = Channels,
            ["num_hidden_layers"] = Depth,
            ["patch_size"] = Size(PatchSize),
            ["qkv_bias"] = QkvBias,
            ["torch_dtype"] = "float32",
        };
        if (labels is not null)
        {
            json["id2label"] = new JsonObject(labels.Select((label, id) => KeyValuePair.Create(id.ToString(), (JsonNode?)label)));
            json["label2id"] = new JsonObject(labels.Select((label, id) => (label, id)).DistinctBy(x => x.label).Select(x => KeyValuePair.Create(x.label, (JsonNode?)x.id)));
        }
        return json;
    }

    private static string Architecture(JsonElement config) =>
        config.TryGetProperty("architectures", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? list[0].GetString() ?? ""
            : "";

    private static JsonElement? Find(JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Text(JsonElement config, string key, string missing) => Find(config, key) is not { } value ? missing
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Unusable(key, value);

    private static int Integer(JsonElement config, string key, int missing) => Find(config, key) is not { } value ? missing
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Unusable(key, value);

    private static double Number(JsonElement config, string key, double missing) => Find(config, key) is not { } value ? missing
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Unusable(key, value);

    private static bool Flag(JsonElement config, string key, bool missing) => Find(config, key) is not { } value ? missing
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Unusable(key, value);

    /// <summary>One number for a square, or height and width.</summary>
    private static Size2D Size(JsonElement config, string key, int missing)
    {
        if (Find(config, key) is not { ValueKind: JsonValueKind.Array } value)
            return Integer(config, key, missing);
        if (value.GetArrayLength() == 2 && value[0].TryGetInt32(out var height) && value[1].TryGetInt32(out var width))
            return new(height, width);
        throw Unusable(key, value);
    }

    private static JsonNode Size(Size2D size) => size.Height == size.Width ? size.Height : new JsonArray(size.Height, size.Width);

    private static FormatException Unusable(string key, JsonElement value) => new($"config.json has '{key}': {value}, which cannot be used.");
}
