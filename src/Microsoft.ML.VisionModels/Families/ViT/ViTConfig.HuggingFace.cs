using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ViT;

internal sealed partial record ViTConfig
{
    private const string DinoV2 = "dinov2", DinoV2WithRegisters = "dinov2_with_registers";

    /// <summary>Hugging Face's names of such networks.</summary>
    internal static readonly string[] ModelTypes = ["vit", "deit", DinoV2, DinoV2WithRegisters, "vit_mae"];

    /// <summary>Reads Hugging Face's <c>config.json</c> of one of the <see cref="ModelTypes"/>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The tensors in the checkpoint beside it: these tell which heads are there, and whether a pooler is. Null: the architecture's name tells.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static ViTConfig FromHuggingFace(JsonElement config, IReadOnlyDictionary<string, TensorInfo>? tensors = null)
    {
        var type = config.ModelType(ModelTypes);
        var classes = PublishedClasses.Count(config, tensors, "classifier.weight", "cls_classifier.weight", "head.weight");
        if (type is DinoV2 or DinoV2WithRegisters)
            return FromDinoV2(config, type == DinoV2WithRegisters, classes).Validate();

        return (ConfigKeys.Read(config, new ViTConfig { NormEps = 1e-12 }) with
        {
            DistillationToken = type == "deit",
            DistillationHead = tensors is null
                ? config.Architecture().EndsWith("WithTeacher", StringComparison.Ordinal)
                : PublishedClasses.Has(tensors, "distillation_classifier.weight") || PublishedClasses.Has(tensors, "head_dist.weight"),
            Classes = classes,
            Pooler = tensors is null ? classes is null && type != "vit_mae" : PublishedClasses.Has(tensors, "pooler.dense.weight"),
        }).Validate();
    }

    private static ViTConfig FromDinoV2(JsonElement config, bool registers, int? classes)
    {
        var read = ConfigKeys.Read(config, new ViTConfig());
        var isGated = config.Get("use_swiglu_ffn", false);
        return read with
        {
            MlpWidth = DinoV2MlpWidth(read.Width, config.Get("mlp_ratio", 4.0), isGated),
            Activation = isGated ? Activation.SwiGlu : read.Activation,
            RegisterTokens = registers ? config.Get("num_register_tokens", 4) : 0,
            LayerScale = config.Get("layerscale_value", 1.0),
            DropPath = config.Get("drop_path_rate", 0.0),
            // These are published for images of 518 x 518, and are used for smaller ones as a rule.
            Interpolation = registers ? PositionInterpolation.AntialiasedSize : PositionInterpolation.Size,
            Classes = classes,
            Pooling = classes is null ? ViTPooling.Class : ViTPooling.ClassAndMean,
        };
    }

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="labels">The class names, one for each class; null for a network without a head.</param>
    /// <exception cref="InvalidOperationException">The library has no such network.</exception>
    public JsonObject ToHuggingFace(IReadOnlyList<string>? labels)
    {
        if (EmbeddingNorm || !ClassToken || !PatchBias)
            throw new InvalidOperationException("Hugging Face's ViT, DeiT and DINOv2 know no embedding norm, and no network without class token or patch bias.");
        if (Classes != labels?.Count)
            throw new ArgumentException($"The network has {Classes ?? 0} classes, but {labels?.Count ?? 0} labels were given.", nameof(labels));

        var json = IsDinoV2 ? ToDinoV2() : ToViT();
        json["initializer_range"] = ViTNetwork.InitialStd;
        json["torch_dtype"] = "float32";
        if (labels is not null)
            json.AddLabels(labels);
        return json;
    }

    private JsonObject ToViT()
    {
        if (RegisterTokens > 0 || Pooling != ViTPooling.Class || Activation == Activation.SwiGlu)
            throw new InvalidOperationException("Hugging Face's ViT and DeiT know no register tokens, SwiGLU, or head on anything but the class token.");

        var model = DistillationToken ? "DeiT" : "ViT";
        return ConfigKeys.Write(this, new Dictionary<string, JsonNode?>
        {
            ["architectures"] = new JsonArray(model + (Classes is null ? "Model" : DistillationHead ? "ForImageClassificationWithTeacher" : "ForImageClassification")),
            ["encoder_stride"] = PatchSize.Height,
            ["model_type"] = model.ToLowerInvariant(),
        });
    }

    private JsonObject ToDinoV2()
    {
        if (DistillationToken || Pooler || (Classes is not null && Pooling != ViTPooling.ClassAndMean))
            throw new InvalidOperationException("Hugging Face's DINOv2 knows no distillation token, pooler, or head on anything but the class token and the mean of the patches.");

        var (isGated, registers) = (Activation == Activation.SwiGlu, RegisterTokens > 0);
        string[] stages = ["stem", .. Enumerable.Range(1, Depth).Select(block => $"stage{block}")];
        var json = ConfigKeys.Write(this with { Activation = isGated ? Activation.Gelu : Activation }, new Dictionary<string, JsonNode?>
        {
            ["apply_layernorm"] = true,
            ["architectures"] = new JsonArray((registers ? "Dinov2WithRegisters" : "Dinov2") + (Classes is null ? "Model" : "ForImageClassification")),
            ["drop_path_rate"] = DropPath,
            ["layerscale_value"] = LayerScale,
            ["mlp_ratio"] = DinoV2MlpRatio(isGated),
            ["model_type"] = registers ? DinoV2WithRegisters : DinoV2,
            ["out_features"] = new JsonArray(stages[^1]),
            ["out_indices"] = new JsonArray(Depth),
            ["reshape_hidden_states"] = true,
            ["stage_names"] = new JsonArray([.. stages.Select(stage => JsonValue.Create(stage))]),
            ["use_swiglu_ffn"] = isGated,
        });
        json.Remove("intermediate_size");       // the ratio says it
        if (registers)
            json["num_register_tokens"] = RegisterTokens;
        return json;
    }

    /// <summary>The ratio that makes the MLP as wide as it is: a whole number where one does.</summary>
    private double DinoV2MlpRatio(bool isGated)
    {
        var ratio = (isGated ? 1.5 : 1) * MlpWidth / Width;
        double[] near = [Math.Round(ratio), ratio, Math.BitIncrement(ratio)];
        return near.Any(IsRight)
            ? near.First(IsRight)
            : throw new InvalidOperationException($"Hugging Face's DINOv2 knows no SwiGLU of {MlpWidth} channels, which is no multiple of 8.");

        bool IsRight(double candidate) => DinoV2MlpWidth(Width, candidate, isGated) == MlpWidth;
    }

    // SwiGLU has two thirds of the width, so that it has as many weights as the MLP, rounded up to a multiple of 8.
    private static int DinoV2MlpWidth(int width, double ratio, bool isGated)
    {
        var mlpWidth = (int)(width * ratio);
        return isGated ? ((int)(mlpWidth * 2.0 / 3) + 7) / 8 * 8 : mlpWidth;
    }
}
