using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Swin;

internal sealed partial record SwinConfig
{
    private const int LibraryDefaultClasses = 2;

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>swin</c> or <c>swinv2</c>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The names in the checkpoint beside it, by which a backbone is known where the file does not call it one.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static SwinConfig FromHuggingFace(JsonElement config, IEnumerable<string>? tensors = null)
    {
        var type = config.Get("model_type", "swin");
        if (type is not ("swin" or "swinv2"))
            throw new CheckpointException($"The configuration has model_type '{type}'; a Swin Transformer has 'swin' or 'swinv2'.");
        if (config.Get("use_absolute_embeddings", false))
            throw new CheckpointException("The configuration has use_absolute_embeddings; a Swin Transformer with absolute positions is not supported.");

        var version = type == "swinv2" ? SwinVersion.V2 : SwinVersion.V1;
        var architecture = config.Architecture();
        var backbone = architecture.EndsWith("Backbone", StringComparison.Ordinal)
            || tensors?.Any(name => name.StartsWith("hidden_states_norms.", StringComparison.Ordinal)) == true;
        var defaults = new SwinConfig();
        var depths = config.Integers("depths") ?? defaults.Depths;
        return new SwinConfig
        {
            Version = version,
            ImageSize = config.Size("image_size", 224),
            PatchSize = config.Size("patch_size", 4),
            Channels = config.Get("num_channels", 3),
            Width = config.Get("embed_dim", 96),
            Depths = depths,
            Heads = config.Integers("num_heads") ?? defaults.Heads,
            WindowSize = config.Get("window_size", 7),
            // The library's default has four, whatever the number of stages.
            PretrainedWindows = version == SwinVersion.V1 ? [] : [.. (config.Integers("pretrained_window_sizes") ?? new int[depths.Length]).Take(depths.Length)],
            MlpRatio = config.Get("mlp_ratio", 4.0),
            Activation = Activations.Parse(config.Get("hidden_act", "gelu")),
            NormEps = config.Get("layer_norm_eps", 1e-5),
            QkvBias = config.Get("qkv_bias", true),
            Dropout = config.Get("hidden_dropout_prob", 0.0),
            AttentionDropout = config.Get("attention_probs_dropout_prob", 0.0),
            DropPath = config.Get("drop_path_rate", 0.1),
            AlwaysPartition = backbone && version == SwinVersion.V1,
            FinalNorm = !backbone,
            FeatureNames = backbone ? OutFeatures(config, depths.Length) : [],
            Classes = architecture.Contains("ForImageClassification", StringComparison.Ordinal) ? config.Labels()?.Length ?? LibraryDefaultClasses : null,
        }.Validate();
    }

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="labels">The class names, one for each class; null for a network without a head.</param>
    public JsonObject ToHuggingFace(IReadOnlyList<string>? labels)
    {
        if (Classes != labels?.Count)
            throw new ArgumentException($"The network has {Classes ?? 0} classes, but {labels?.Count ?? 0} labels were given.", nameof(labels));

        var isV2 = Version == SwinVersion.V2;
        string[] features = FeatureNames.Length > 0 ? FeatureNames : [StageName(LastStage)];
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray((isV2 ? "Swinv2" : "Swin") + (Classes is not null ? "ForImageClassification" : FinalNorm ? "Model" : "Backbone")),
            ["attention_probs_dropout_prob"] = AttentionDropout,
            ["depths"] = List(Depths),
            ["drop_path_rate"] = DropPath,
            ["embed_dim"] = Width,
            ["encoder_stride"] = PatchSize.Height << LastStage,
            ["hidden_act"] = Activation.HuggingFaceName(),
            ["hidden_dropout_prob"] = Dropout,
            ["hidden_size"] = WidthOf(LastStage),
            ["image_size"] = ImageSize.ToJson(),
            ["initializer_range"] = SwinNetwork.InitialStd,
            ["layer_norm_eps"] = NormEps,
            ["mlp_ratio"] = MlpRatio,
            ["model_type"] = isV2 ? "swinv2" : "swin",
            ["num_channels"] = Channels,
            ["num_heads"] = List(Heads),
            ["num_layers"] = Stages,
            ["out_features"] = List(features),
            ["out_indices"] = List([.. features.Select(name => StageNames.ToList().IndexOf(name))]),
            ["patch_size"] = PatchSize.ToJson(),
            ["qkv_bias"] = QkvBias,
            ["stage_names"] = List([.. StageNames]),
            ["torch_dtype"] = "float32",
            ["use_absolute_embeddings"] = false,
            ["window_size"] = WindowSize,
        };
        if (isV2)
            json["pretrained_window_sizes"] = List(PretrainedWindows.Length > 0 ? PretrainedWindows : new int[Stages]);
        if (labels is not null)
            json.AddLabels(labels);
        return json;
    }

    /// <summary>The stages that a backbone gives, by names or by numbers; by default the last.</summary>
    private static string[] OutFeatures(JsonElement config, int stages)
    {
        if (config.Texts("out_features") is { } names)
            return names;
        // Numbers may count from the end.
        return [.. (config.Integers("out_indices") ?? [stages]).Select(index => index < 0 ? index + stages + 1 : index).Select(index => index == 0 ? "stem" : StageName(index - 1))];
    }

    private static JsonArray List<T>(IEnumerable<T> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
