using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Sam;

internal sealed partial record SamConfig
{
    /// <summary>Hugging Face's name of such networks.</summary>
    internal static readonly string[] ModelTypes = ["sam"];

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>sam</c>. A missing key means the library's default.</summary>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static SamConfig FromHuggingFace(JsonElement config)
    {
        config.ModelType(ModelTypes);
        var (vision, prompts, decoder) = (config.Part("vision_config"), config.Part("prompt_encoder_config"), config.Part("mask_decoder_config"));
        var encoder = Encoder(vision);
        var (size, patch) = (prompts.Get("image_size", 1024), prompts.Get("patch_size", 16));
        if (patch <= 0)
            throw new CheckpointException($"The configuration's 'patch_size' of the prompt encoder should be positive, but is {patch}.");
        return (ConfigKeys.Read(decoder, new SamConfig { NormEps = 1e-6 }) with
        {
            Vision = encoder,
            ImageSize = size,
            Grid = size / patch,
            MaskPromptChannels = prompts.Get("mask_input_channels", 16),
            PromptActivation = ConfigKeys.Parse<Activation>(prompts.Get("hidden_act", "gelu")),
        }).Validate();
    }

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <exception cref="NotSupportedException">The encoder is MobileSAM's, of which that library knows nothing.</exception>
    public JsonObject ToHuggingFace()
    {
        if (Vision is not { } vision)
            throw new NotSupportedException("Hugging Face's library has no SAM with a TinyViT encoder.");
        return new()
        {
            ["architectures"] = new JsonArray("SamModel"),
            ["initializer_range"] = 0.02,
            ["mask_decoder_config"] = ConfigKeys.Write(this, new Dictionary<string, JsonNode?> { ["model_type"] = "" }),
            ["model_type"] = "sam",
            ["prompt_encoder_config"] = new JsonObject
            {
                ["hidden_act"] = ConfigKeys.NameOf(PromptActivation),
                ["hidden_size"] = Width,
                ["image_embedding_size"] = Grid,
                ["image_size"] = ImageSize,
                ["layer_norm_eps"] = 1e-6,
                ["mask_input_channels"] = MaskPromptChannels,
                ["model_type"] = "",
                ["num_point_embeddings"] = 4,
                ["patch_size"] = ImageSize / Grid,
            },
            ["torch_dtype"] = "float32",
            ["vision_config"] = ConfigKeys.Write(vision, new Dictionary<string, JsonNode?> { ["attention_dropout"] = 0.0, ["model_type"] = "", ["num_pos_feats"] = Width / 2 }),
        };
    }

    private static SamEncoderConfig Encoder(JsonElement config)
    {
        var encoder = ConfigKeys.Read(config, new SamEncoderConfig());
        return config.Optional("mlp_dim") is null ? encoder with { MlpWidth = (int)(encoder.Width * config.Get("mlp_ratio", 4.0)) } : encoder;
    }
}
