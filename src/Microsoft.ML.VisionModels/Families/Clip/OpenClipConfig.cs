using System.Text.Json;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>open_clip's <c>open_clip_config.json</c>: what of it is read, and what may be passed over.</summary>
internal static class OpenClipConfig
{
    public const string FileName = "open_clip_config.json";

    /// <summary>Read, or told by the tensors' shapes, or of training alone.</summary>
    private static readonly HashSet<string>
        s_model = ["embed_dim", "quick_gelu", "vision_cfg", "text_cfg", "init_logit_scale"],
        s_vision = ["image_size", "layers", "width", "head_width", "mlp_ratio", "patch_size", "patch_dropout", "attn_pooler_queries", "attn_pooler_heads"],
        s_text = ["context_length", "vocab_size", "layers", "width", "heads", "mlp_ratio", "pad_id"],
        s_images = ["mean", "std", "size"];

    /// <summary>The values of further keys with which the network is this one; null, none and nothing set are so too.</summary>
    private static readonly Dictionary<string, string> s_defaults = new()
    {
        ["custom_text"] = "false",
        ["attentional_pool"] = "false",
        ["no_ln_pre"] = "false",
        ["no_causal_mask"] = "false",
        ["embed_cls"] = "false",
        ["final_ln_after_pool"] = "false",
        ["proj_bias"] = "false",
        ["output_tokens"] = "false",
        ["pos_embed_type"] = "\"learnable\"",
        ["proj_type"] = "\"linear\"",
        ["mode"] = "\"RGB\"",
        ["interpolation"] = "\"bicubic\"",
        ["resize_mode"] = "\"shortest\"",
        ["fill_color"] = "0",       // has a part in other resize modes alone
    };

    /// <exception cref="CheckpointException">An entry asks for what is not there: the network would compute something else.</exception>
    public static void Check(JsonElement config)
    {
        var model = Part(config, "model_cfg");
        Check(model, "model_cfg", s_model);
        Check(Part(model, "vision_cfg"), "vision_cfg", s_vision, pooling: "\"tok\"");
        Check(Part(model, "text_cfg"), "text_cfg", s_text, pooling: "\"argmax\"");
        Check(Part(config, "preprocess_cfg"), "preprocess_cfg", s_images);
        Normalization(config);
    }

    private static void Check(JsonElement? part, string name, HashSet<string> known, string? pooling = null)
    {
        if (part is not { } entries)
            return;
        foreach (var entry in entries.EnumerateObject().Where(entry => !known.Contains(entry.Name) && !IsUnset(entry.Value)))
        {
            var expected = entry.Name == "pool_type" ? pooling : s_defaults.GetValueOrDefault(entry.Name);
            if (entry.Value.GetRawText() != expected)
            {
                throw new CheckpointException(
                    $"{FileName} has {name}.{entry.Name} = {entry.Value.GetRawText()}; {(expected is null ? "such networks are not read" : $"only networks with {expected} are read")}.");
            }
        }
    }

    private static bool IsUnset(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any());

    private static JsonElement? Part(JsonElement? config, string name) =>
        config?.TryGetProperty(name, out var part) == true && part.ValueKind == JsonValueKind.Object ? part : null;

    /// <summary><c>preprocess_cfg</c>'s mean and deviation; null where it does not say.</summary>
    /// <exception cref="CheckpointException">They are no numbers of three channels.</exception>
    public static ImageNormalization? Normalization(JsonElement? config) =>
        Part(config, "preprocess_cfg") is { } settings && Channels(settings, "mean") is { } mean && Channels(settings, "std") is { } std ? new(mean, std) : null;

    private static (float, float, float)? Channels(JsonElement settings, string name)
    {
        if (!settings.TryGetProperty(name, out var values) || values.ValueKind == JsonValueKind.Null)
            return null;
        return values.ValueKind == JsonValueKind.Array && values.GetArrayLength() == 3 && values.EnumerateArray().All(value => value.ValueKind == JsonValueKind.Number)
            ? (values[0].GetSingle(), values[1].GetSingle(), values[2].GetSingle())
            : throw new CheckpointException($"{FileName} has preprocess_cfg.{name} = {values.GetRawText()}, which should be three numbers.");
    }
}
