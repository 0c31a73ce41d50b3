using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>Which of the two architectures.</summary>
internal enum SwinVersion
{
    /// <summary>A table of biases for relative positions, layer norm before each branch (arXiv 2103.14030).</summary>
    V1,

    /// <summary>Cosine attention, biases from an MLP over relative positions, layer norm at the end of each branch (arXiv 2111.09883).</summary>
    V2,
}

/// <summary>The hyper-parameters of a Swin Transformer.</summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed record SwinConfig
{
    private const int MostStages = 10;

    /// <summary>Hugging Face's names of such networks.</summary>
    internal static readonly string[] ModelTypes = ["swin", "swinv2"];

    public SwinVersion Version { get; init; }

    /// <summary>The size of images that the network is meant for. Others work too; V2 derives its windows from this one.</summary>
    [ConfigKey("image_size")]
    public ImageSize ImageSize { get; init; } = 224;

    [ConfigKey("patch_size")]
    public ImageSize PatchSize { get; init; } = 4;
    [ConfigKey("num_channels")]
    public int Channels { get; init; } = 3;

    /// <summary>Channels of the first stage; each stage has twice those of the one before.</summary>
    [ConfigKey("embed_dim")]
    public int Width { get; init; } = 96;

    /// <summary>Blocks of each stage.</summary>
    [ConfigKey("depths")]
    public int[] Depths { get; init; } = [2, 2, 6, 2];

    /// <summary>Attention heads of each stage.</summary>
    [ConfigKey("num_heads")]
    public int[] Heads { get; init; } = [3, 6, 12, 24];

    /// <summary>The side of a window in tokens.</summary>
    [ConfigKey("window_size"), FromTo(1, Limits.AttentionWindow)]
    public int WindowSize { get; init; } = 7;

    /// <summary>V2: the side of each stage's windows in pretraining, by which relative positions are measured; 0 for the present one.</summary>
    [FromTo(0, Limits.AttentionWindow)]
    public int[] PretrainedWindows { get; init; } = [];

    /// <summary>The width of a block's MLP in relation to the block's.</summary>
    [ConfigKey("mlp_ratio")]
    public double MlpRatio { get; init; } = 4;

    [ConfigKey("hidden_act")]
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>Of the blocks and the last layer norm; the others have <see cref="FixedNormEps"/>.</summary>
    [ConfigKey("layer_norm_eps")]
    public double NormEps { get; init; } = FixedNormEps;

    [ConfigKey("qkv_bias")]
    public bool QkvBias { get; init; } = true;

    [ConfigKey("hidden_dropout_prob")]
    public double Dropout { get; init; }
    [ConfigKey("attention_probs_dropout_prob")]
    public double AttentionDropout { get; init; }

    /// <summary>Stochastic depth of the last block; it grows linearly from 0 at the first.</summary>
    [ConfigKey("drop_path_rate")]
    public double DropPath { get; init; }

    /// <summary>V1: windows stay as large as they are and go on shifting where they cover the whole grid, as in Hugging Face's backbone.</summary>
    public bool AlwaysPartition { get; init; }

    /// <summary>A layer norm on the last stage's output; a backbone has none.</summary>
    public bool FinalNorm { get; init; } = true;

    /// <summary>The feature maps that a backbone gives, of <see cref="StageNames"/>; empty for other networks.</summary>
    public string[] FeatureNames { get; init; } = [];

    /// <summary>The number of classes, or null for a network without a head.</summary>
    public int? Classes { get; init; }

    internal const double FixedNormEps = 1e-5;

    public int Stages => Depths.Length;

    public int LastStage => Depths.Length - 1;

    /// <summary>
    /// What is added to the score of two tokens that do not belong together. The authors add -100; Hugging Face's V2, whose numbers ours
    /// equal, adds it twice, which differs where a temperature near its limit of 100 meets tiny windows.
    /// </summary>
    public double HiddenScore => Version == SwinVersion.V2 ? -200 : -100;

    /// <summary>Blocks of all stages.</summary>
    public int Blocks => Depths.Sum();

    /// <summary>Whether a feature map has a layer norm of its own: V1's backbone.</summary>
    public bool HasFeatureNorms => FeatureNames.Length > 0 && Version == SwinVersion.V1;

    /// <summary><c>stem</c> for the embeddings, <c>stage1</c> for the first stage and so on, as Hugging Face calls them.</summary>
    public IEnumerable<string> StageNames => ["stem", .. Enumerable.Range(0, Stages).Select(StageName)];

    public static string StageName(int stage) => $"stage{stage + 1}";

    public int WidthOf(int stage) => Width << stage;

    /// <summary>Tokens of a stage for an image of <see cref="ImageSize"/>; what is not full is padded.</summary>
    public ImageSize GridOf(int stage)
    {
        var (height, width) = (CeilingDivide(ImageSize.Height, PatchSize.Height), CeilingDivide(ImageSize.Width, PatchSize.Width));
        return new(CeilingDivide(height, 1 << stage), CeilingDivide(width, 1 << stage));
    }

    /// <summary>How a stage's tokens are cut into windows.</summary>
    /// <param name="stage">From 0.</param>
    /// <param name="height">Rows of tokens that the stage really has.</param>
    /// <param name="width">Tokens in a row.</param>
    /// <param name="shifted">Whether it is for the second of two blocks, whose windows lie across those of the first.</param>
    public WindowGrid Windows(int stage, int height, int width, bool shifted)
    {
        var shift = shifted ? WindowSize / 2 : 0;
        if (Version == SwinVersion.V2)
            return new(height, width, NativeWindow(stage), NativeHeight(stage) > WindowSize ? shift : 0);
        var smaller = Math.Min(height, width);
        return AlwaysPartition || smaller > WindowSize ? new(height, width, WindowSize, shift) : new(height, width, smaller, 0);
    }

    /// <summary>The side of a stage's windows for images of <see cref="ImageSize"/>. V2's reference code looks at the height alone.</summary>
    public int NativeWindow(int stage) => Math.Clamp(NativeHeight(stage), 1, WindowSize);

    // Unlike the grid, rounded down at every step.
    private int NativeHeight(int stage) => ImageSize.Height / PatchSize.Height >> stage;

    /// <summary>The hyper-parameters of a stage's blocks.</summary>
    public TransformerConfig StageConfig(int stage) => new()
    {
        Width = WidthOf(stage),
        Depth = Depths[stage],
        Heads = Heads[stage],
        MlpWidth = (int)(MlpRatio * WidthOf(stage)),
        Activation = Activation,
        NormEps = NormEps,
        QkvBias = QkvBias,
        CosineAttention = Version == SwinVersion.V2,
        Dropout = Dropout,
        AttentionDropout = AttentionDropout,
    };

    /// <param name="block">Counted through all stages, from 0.</param>
    public double DropPathOf(int block) => Blocks == 1 ? 0 : DropPath * block / (Blocks - 1);

    /// <summary>The number of the first block of a stage, counted through all stages.</summary>
    public int FirstBlockOf(int stage) => Depths[..stage].Sum();

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>swin</c> or <c>swinv2</c>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The tensors in the checkpoint beside it: these tell whether there is a head, and whether it is a backbone. Null: the architecture's name tells.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static SwinConfig FromHuggingFace(JsonElement config, IReadOnlyDictionary<string, TensorInfo>? tensors = null)
    {
        if (config.Get("use_absolute_embeddings", false))
            throw new CheckpointException("The configuration has use_absolute_embeddings; a Swin Transformer with absolute positions is not supported.");

        var version = config.ModelType(ModelTypes) == "swinv2" ? SwinVersion.V2 : SwinVersion.V1;
        var backbone = config.Architecture().EndsWith("Backbone", StringComparison.Ordinal) || (tensors is not null && IsBackbone(tensors));
        var read = ConfigKeys.Read(config, new SwinConfig { DropPath = 0.1 });
        return (read with
        {
            Version = version,
            // The library's default has four, whatever the number of stages.
            PretrainedWindows = version == SwinVersion.V1 ? [] : [.. (config.Integers("pretrained_window_sizes") ?? new int[read.Stages]).Take(read.Stages)],
            AlwaysPartition = backbone && version == SwinVersion.V1,
            FinalNorm = !backbone,
            FeatureNames = backbone ? OutFeatures(config, read.Stages) : [],
            Classes = PublishedClasses.Count(config, tensors, "classifier.weight", "head.fc.weight", "head.weight"),
        }).Validate();
    }

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="labels">The class names, one for each class; null for a network without a head.</param>
    public JsonObject ToHuggingFace(IReadOnlyList<string>? labels)
    {
        if (Classes != labels?.Count)
            throw new ArgumentException($"The network has {Classes ?? 0} classes, but {labels?.Count ?? 0} labels were given.", nameof(labels));

        var isV2 = Version == SwinVersion.V2;
        string[] features = FeatureNames.Length > 0 ? FeatureNames : [StageName(LastStage)];
        var json = ConfigKeys.Write(this, new Dictionary<string, JsonNode?>
        {
            ["architectures"] = new JsonArray((isV2 ? "Swinv2" : "Swin") + (Classes is not null ? "ForImageClassification" : FinalNorm ? "Model" : "Backbone")),
            ["encoder_stride"] = PatchSize.Height << LastStage,
            ["hidden_size"] = WidthOf(LastStage),
            ["initializer_range"] = SwinNetwork.InitialStd,
            ["model_type"] = isV2 ? "swinv2" : "swin",
            ["num_layers"] = Stages,
            ["out_features"] = List(features),
            ["out_indices"] = List(features.Select(name => StageNames.ToList().IndexOf(name))),
            ["stage_names"] = List(StageNames),
            ["torch_dtype"] = "float32",
            ["use_absolute_embeddings"] = false,
        });
        if (isV2)
            json["pretrained_window_sizes"] = List(PretrainedWindows.Length > 0 ? PretrainedWindows : new int[Stages]);
        if (labels is not null)
            json.AddLabels(labels);
        return json;
    }

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public SwinConfig Validate()
    {
        HyperParameters.Check(this);
        // Each stage doubles the width.
        if (Stages is 0 or > MostStages)
            throw new ArgumentException($"A Swin Transformer has from 1 to {MostStages} stages, not {Stages}.");
        if (Heads.Length != Stages)
            throw new ArgumentException($"A Swin Transformer of {Stages} stages needs as many numbers of heads, not {Heads.Length}.");
        if (Version == SwinVersion.V2 && PretrainedWindows.Length is not 0 && PretrainedWindows.Length != Stages)
            throw new ArgumentException($"A Swin Transformer of {Stages} stages needs as many pretrained window sizes, not {PretrainedWindows.Length}.");
        for (var stage = 0; stage < Stages; stage++)
        {
            if (WidthOf(stage) % Heads[stage] != 0)
                throw new ArgumentException($"The width {WidthOf(stage)} of stage {stage + 1} cannot be divided among {Heads[stage]} attention heads.");
            if (StageConfig(stage).MlpWidth <= 0)
                throw new ArgumentException($"An MLP ratio of {MlpRatio} leaves stage {stage + 1} no MLP.");
        }
        if (FeatureNames.Except(StageNames).FirstOrDefault() is { } unknown)
            throw new ArgumentException($"There is no stage '{unknown}'; there are {string.Join(", ", StageNames)}.");
        return this;
    }

    // Hugging Face's backbones have norms of their own in V1, and no norm at the end.
    private static bool IsBackbone(IReadOnlyDictionary<string, TensorInfo> tensors) =>
        tensors.Keys.Any(name => name.Contains("hidden_states_norms.", StringComparison.Ordinal))
        || (tensors.Keys.Any(name => name.Contains("encoder.layers.", StringComparison.Ordinal)) && !PublishedClasses.Has(tensors, "layernorm.weight"));

    private static int CeilingDivide(int value, int divisor) => (value + divisor - 1) / divisor;

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
