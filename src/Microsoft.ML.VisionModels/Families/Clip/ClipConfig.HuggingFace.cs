using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Clip;

internal sealed partial record ClipConfig
{
    /// <summary>Hugging Face's names of such networks.</summary>
    internal static readonly string[] ModelTypes = ["clip", "siglip"];

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>clip</c> or <c>siglip</c>. A missing key means the library's default.</summary>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static ClipConfig FromHuggingFace(JsonElement config) => config.ModelType(ModelTypes) == "siglip"
        ? SigLip(config.Part("text_config"), config.Part("vision_config"))
        : Clip(config, Tower(config, "text_config"), Tower(config, "vision_config"));

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="bfloat16">Whether the weights beside it have 16 bits, not 32.</param>
    public JsonObject ToHuggingFace(bool bfloat16 = false)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(Sigmoid ? "SiglipModel" : "CLIPModel"),
            ["initializer_factor"] = 1.0,
            ["model_type"] = Sigmoid ? "siglip" : "clip",
            ["text_config"] = ConfigKeys.Write(Text, new Dictionary<string, JsonNode?> { ["model_type"] = Sigmoid ? "siglip_text_model" : "clip_text_model" }),
            ["torch_dtype"] = bfloat16 ? "bfloat16" : "float32",
            ["vision_config"] = new JsonObject
            {
                ["attention_dropout"] = Vision.AttentionDropout,
                ["hidden_act"] = ConfigKeys.NameOf(Vision.Activation),
                ["hidden_size"] = Vision.Width,
                ["image_size"] = Vision.ImageSize.ToJson(),
                ["intermediate_size"] = Vision.MlpWidth,
                ["layer_norm_eps"] = Vision.NormEps,
                ["model_type"] = Sigmoid ? "siglip_vision_model" : "clip_vision_model",
                ["num_attention_heads"] = Vision.Heads,
                ["num_hidden_layers"] = Vision.Depth,
                ["patch_size"] = Vision.PatchSize.ToJson(),
            },
        };
        if (Sigmoid)
            return json;

        json["logit_scale_init_value"] = 2.6592;
        json["projection_dim"] = EmbeddingSize;
        json["text_config"]!["eos_token_id"] = Text.Pooling == ClipTextPooling.HighestToken ? ClipTextConfig.HighestTokenMark : Text.EndToken;
        json["text_config"]!["projection_dim"] = EmbeddingSize;
        json["vision_config"]!["projection_dim"] = EmbeddingSize;
        return json;
    }

    /// <summary>A tower's part of the configuration. Old files have it as <c>text_config_dict</c>, which the library takes whole where both are there.</summary>
    private static JsonElement Tower(JsonElement config, string name)
    {
        var (part, oldName) = (config.Part(name), name + "_dict");
        if (config.Optional(oldName) is null)
            return part;
        var old = config.Part(oldName);
        if (old.EnumerateObject().FirstOrDefault(entry => part.Optional(entry.Name) is { } other && !JsonElement.DeepEquals(entry.Value, other)) is { Value.ValueKind: not JsonValueKind.Undefined } different)
            Notices.Say($"config.json has both {name} and {oldName}, which differ in '{different.Name}': {oldName} is read. Delete the one that is wrong.");
        return old;
    }

    private static ClipConfig Clip(JsonElement config, JsonElement text, JsonElement vision) => Of(
        ConfigKeys.Read(vision, new ViTConfig { PatchSize = 32, Activation = Activation.QuickGelu, NormEps = 1e-5 }),
        ClipTextConfig.FromHuggingFace(text),
        config.Get("projection_dim", 512)).Validate();

    private static ClipConfig SigLip(JsonElement text, JsonElement vision)
    {
        var visionTower = ConfigKeys.Read(vision, new ViTConfig { Activation = Activation.GeluTanh }) with { ClassToken = false, Pooling = ViTPooling.Attention };
        var textDefaults = new ClipTextConfig
        {
            VocabularySize = 32000, Positions = 64, Width = 768, Heads = 12, MlpWidth = 3072, Activation = Activation.GeluTanh, NormEps = 1e-6,
        };
        return new ClipConfig
        {
            Vision = visionTower,
            Text = ConfigKeys.Read(text, textDefaults) with
            {
                EmbeddingSize = visionTower.Width,
                Causal = false,
                Pooling = ClipTextPooling.LastPosition,
                ProjectionBias = true,
            },
            EmbeddingSize = visionTower.Width,
            VisionProjection = false,
            Sigmoid = true,
        }.Validate();
    }
}
