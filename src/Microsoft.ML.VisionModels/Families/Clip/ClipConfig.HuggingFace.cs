using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Clip;

internal sealed partial record ClipConfig
{
    // The official files give this number as the end token's, which it is not, and mean the highest number.
    private const int HighestTokenMark = 2;

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>clip</c> or <c>siglip</c>. A missing key means the library's default.</summary>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static ClipConfig FromHuggingFace(JsonElement config) => config.Get("model_type", "clip") switch
    {
        "clip" => Clip(config, config.Part("text_config"), config.Part("vision_config")),
        "siglip" => SigLip(config.Part("text_config"), config.Part("vision_config")),
        var type => throw new CheckpointException($"The configuration has model_type '{type}'; CLIP has 'clip', and SigLIP 'siglip'."),
    };

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="bfloat16">Whether the weights beside it have 16 bits, not 32.</param>
    public JsonObject ToHuggingFace(bool bfloat16 = false)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(Sigmoid ? "SiglipModel" : "CLIPModel"),
            ["initializer_factor"] = 1.0,
            ["model_type"] = Sigmoid ? "siglip" : "clip",
            ["text_config"] = new JsonObject
            {
                ["attention_dropout"] = Text.AttentionDropout,
                ["hidden_act"] = Text.Activation.HuggingFaceName(),
                ["hidden_size"] = Text.Width,
                ["intermediate_size"] = Text.MlpWidth,
                ["layer_norm_eps"] = Text.NormEps,
                ["max_position_embeddings"] = Text.Positions,
                ["model_type"] = Sigmoid ? "siglip_text_model" : "clip_text_model",
                ["num_attention_heads"] = Text.Heads,
                ["num_hidden_layers"] = Text.Depth,
                ["vocab_size"] = Text.VocabularySize,
            },
            ["torch_dtype"] = bfloat16 ? "bfloat16" : "float32",
            ["vision_config"] = new JsonObject
            {
                ["attention_dropout"] = Vision.AttentionDropout,
                ["hidden_act"] = Vision.Activation.HuggingFaceName(),
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
        json["text_config"]!["eos_token_id"] = Text.Pooling == ClipTextPooling.HighestToken ? HighestTokenMark : Text.EndToken;
        json["text_config"]!["projection_dim"] = EmbeddingSize;
        json["vision_config"]!["projection_dim"] = EmbeddingSize;
        return json;
    }

    private static ClipConfig Clip(JsonElement config, JsonElement text, JsonElement vision)
    {
        var endToken = text.Get("eos_token_id", 49407);
        return Of(
            VisionTower(vision, "quick_gelu", 1e-5, patchSize: 32),
            TextTower(text, "quick_gelu", 1e-5, new ClipTextConfig()) with
            {
                Pooling = endToken == HighestTokenMark ? ClipTextPooling.HighestToken : ClipTextPooling.EndToken,
                EndToken = endToken,
            },
            config.Get("projection_dim", 512)).Validate();
    }

    private static ClipConfig SigLip(JsonElement text, JsonElement vision)
    {
        var visionTower = VisionTower(vision, "gelu_pytorch_tanh", 1e-6, patchSize: 16) with { ClassToken = false, Pooling = ViTPooling.Attention };
        return new ClipConfig
        {
            Vision = visionTower,
            Text = TextTower(text, "gelu_pytorch_tanh", 1e-6, new ClipTextConfig { VocabularySize = 32000, Positions = 64, Width = 768, Heads = 12, MlpWidth = 3072 }) with
            {
                Causal = false,
                Pooling = ClipTextPooling.LastPosition,
                ProjectionBias = true,
            },
            EmbeddingSize = visionTower.Width,
            VisionProjection = false,
            Sigmoid = true,
        }.Validate();
    }

    private static ViTConfig VisionTower(JsonElement config, string activation, double eps, int patchSize) => new()
    {
        ImageSize = config.Size("image_size", 224),
        PatchSize = config.Size("patch_size", patchSize),
        Channels = config.Get("num_channels", 3),
        Width = config.Get("hidden_size", 768),
        Depth = config.Get("num_hidden_layers", 12),
        Heads = config.Get("num_attention_heads", 12),
        MlpWidth = config.Get("intermediate_size", 3072),
        Activation = Activations.Parse(config.Get("hidden_act", activation)),
        NormEps = config.Get("layer_norm_eps", eps),
        AttentionDropout = config.Get("attention_dropout", 0.0),
    };

    private static ClipTextConfig TextTower(JsonElement config, string activation, double eps, ClipTextConfig defaults) => new()
    {
        VocabularySize = config.Get("vocab_size", defaults.VocabularySize),
        Positions = config.Get("max_position_embeddings", defaults.Positions),
        Width = config.Get("hidden_size", defaults.Width),
        Depth = config.Get("num_hidden_layers", defaults.Depth),
        Heads = config.Get("num_attention_heads", defaults.Heads),
        MlpWidth = config.Get("intermediate_size", defaults.MlpWidth),
        Activation = Activations.Parse(config.Get("hidden_act", activation)),
        NormEps = config.Get("layer_norm_eps", eps),
        AttentionDropout = config.Get("attention_dropout", 0.0),
    };
}
