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
        return new SamConfig
        {
            Vision = encoder,
            ImageSize = prompts.Get("image_size", 1024),
            Grid = prompts.Get("image_size", 1024) / Math.Max(1, prompts.Get("patch_size", 16)),     // the encoder's grid tells where it is 0
            Width = decoder.Get("hidden_size", 256),
            MaskPromptChannels = prompts.Get("mask_input_channels", 16),
            PromptActivation = ConfigKeys.Parse<Activation>(prompts.Get("hidden_act", "gelu")),
            Depth = decoder.Get("num_hidden_layers", 2),
            Heads = decoder.Get("num_attention_heads", 8),
            MlpWidth = decoder.Get("mlp_dim", 2048),
            Activation = ConfigKeys.Parse<Activation>(decoder.Get("hidden_act", "relu")),
            AttentionDownsampling = decoder.Get("attention_downsample_rate", 2),
            MultiMasks = decoder.Get("num_multimask_outputs", 3),
            IouHeadDepth = decoder.Get("iou_head_depth", 3),
            IouHeadWidth = decoder.Get("iou_head_hidden_dim", 256),
            NormEps = decoder.Get("layer_norm_eps", 1e-6),
        }.Validate();
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
            ["mask_decoder_config"] = new JsonObject
            {
                ["attention_downsample_rate"] = AttentionDownsampling,
                ["hidden_act"] = ConfigKeys.NameOf(Activation),
                ["hidden_size"] = Width,
                ["iou_head_depth"] = IouHeadDepth,
                ["iou_head_hidden_dim"] = IouHeadWidth,
                ["layer_norm_eps"] = NormEps,
                ["mlp_dim"] = MlpWidth,
                ["model_type"] = "",
                ["num_attention_heads"] = Heads,
                ["num_hidden_layers"] = Depth,
                ["num_multimask_outputs"] = MultiMasks,
            },
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
            ["vision_config"] = new JsonObject
            {
                ["attention_dropout"] = 0.0,
                ["global_attn_indexes"] = new JsonArray([.. vision.GlobalBlocks.Select(block => JsonValue.Create(block))]),
                ["hidden_act"] = ConfigKeys.NameOf(vision.Activation),
                ["hidden_size"] = vision.Width,
                ["image_size"] = vision.ImageSize,
                ["layer_norm_eps"] = vision.NormEps,
                ["mlp_dim"] = vision.MlpWidth,
                ["model_type"] = "",
                ["num_attention_heads"] = vision.Heads,
                ["num_channels"] = vision.Channels,
                ["num_hidden_layers"] = vision.Depth,
                ["num_pos_feats"] = Width / 2,
                ["output_channels"] = vision.OutputWidth,
                ["patch_size"] = vision.PatchSize,
                ["qkv_bias"] = vision.QkvBias,
                ["use_abs_pos"] = vision.AbsolutePositions,
                ["use_rel_pos"] = vision.RelativePositions,
                ["window_size"] = vision.Window,
            },
        };
    }

    private static SamEncoderConfig Encoder(JsonElement config)
    {
        var width = config.Get("hidden_size", 768);
        return new()
        {
            ImageSize = config.Get("image_size", 1024),
            PatchSize = config.Get("patch_size", 16),
            Channels = config.Get("num_channels", 3),
            Width = width,
            Depth = config.Get("num_hidden_layers", 12),
            Heads = config.Get("num_attention_heads", 12),
            MlpWidth = config.Get("mlp_dim", (int)(width * config.Get("mlp_ratio", 4.0))),
            Activation = ConfigKeys.Parse<Activation>(config.Get("hidden_act", "gelu")),
            NormEps = config.Get("layer_norm_eps", 1e-6),
            QkvBias = config.Get("qkv_bias", true),
            AbsolutePositions = config.Get("use_abs_pos", true),
            RelativePositions = config.Get("use_rel_pos", true),
            Window = config.Get("window_size", 14),
            GlobalBlocks = config.Integers("global_attn_indexes") ?? [2, 5, 8, 11],
            OutputWidth = config.Get("output_channels", 256),
        };
    }
}
