using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.ResNet;

/// <summary>What a block consists of.</summary>
internal enum ResNetBlockKind
{
    /// <summary>Two convolutions of 3 x 3.</summary>
    [ConfigName("basic")]
    Basic,

    /// <summary>1 x 1 to a quarter of the channels, 3 x 3, and 1 x 1 back.</summary>
    [ConfigName("bottleneck")]
    Bottleneck,
}

/// <summary>The hyper-parameters of a ResNet.</summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed record ResNetConfig
{
    /// <summary>Every ResNet of the paper has four stages.</summary>
    public const int Stages = 4;

    /// <summary>How much wider a bottleneck's output is than its 3 x 3 convolution.</summary>
    public const int Expansion = 4;

    /// <summary>Hugging Face's names of such networks.</summary>
    internal static readonly string[] ModelTypes = ["resnet"];

    /// <summary>The size of images that the network is meant for; others work too. Not an entry of Hugging Face's, whose library ignores it.</summary>
    [ConfigKey("image_size")]
    public ImageSize ImageSize { get; init; } = 224;
    [ConfigKey("num_channels")]
    public int Channels { get; init; } = 3;

    /// <summary>Channels of the stem.</summary>
    [ConfigKey("embedding_size")]
    public int Width { get; init; } = 64;

    /// <summary>Channels of each stage's output.</summary>
    [ConfigKey("hidden_sizes")]
    public int[] Widths { get; init; } = [256, 512, 1024, 2048];

    /// <summary>Blocks of each stage.</summary>
    [ConfigKey("depths")]
    public int[] Depths { get; init; } = [3, 4, 6, 3];

    [ConfigKey("layer_type")]
    public ResNetBlockKind Block { get; init; } = ResNetBlockKind.Bottleneck;

    [ConfigKey("hidden_act")]
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>A stem for images of 32 x 32: a 3 x 3 convolution that leaves the size, and no pooling. Nor is this an entry of Hugging Face's, whose library knows no such stem.</summary>
    [ConfigKey("small_stem")]
    public bool SmallStem { get; init; }

    /// <summary>Whether the first stage halves the map, too.</summary>
    [ConfigKey("downsample_in_first_stage")]
    public bool DownsampleInFirstStage { get; init; }

    /// <summary>Whether a bottleneck halves the map in its first convolution, as the paper has it, rather than in its second, as torchvision's v1.5 and nearly all that is published.</summary>
    [ConfigKey("downsample_in_bottleneck")]
    public bool DownsampleInBottleneck { get; init; }

    /// <summary>The number of classes, or null for a network without a head.</summary>
    public int? Classes { get; init; }

    /// <summary>Stochastic depth of the last block; it grows linearly from 0 at the first.</summary>
    public double DropPath { get; init; }

    /// <summary>Blocks of all stages.</summary>
    public int Blocks => Depths.Sum();

    /// <summary>The number of the first block of a stage, counted through all stages.</summary>
    public int FirstBlockOf(int stage) => Depths[..stage].Sum();

    /// <param name="block">Counted through all stages, from 0.</param>
    public double DropPathOf(int block) => Blocks == 1 ? 0 : DropPath * block / (Blocks - 1);

    /// <summary>How much smaller a stage's first block makes the map.</summary>
    public int StrideOf(int stage) => stage > 0 || DownsampleInFirstStage ? 2 : 1;

    /// <summary>The size of a stage's feature map for an image of <see cref="ImageSize"/>.</summary>
    public ImageSize GridOf(int stage)
    {
        var halvings = (SmallStem ? 0 : 2) + Enumerable.Range(0, stage + 1).Count(s => StrideOf(s) == 2);
        return new(Halved(ImageSize.Height), Halved(ImageSize.Width));

        int Halved(int length) => (length + (1 << halvings) - 1) >> halvings;       // each halving rounds up
    }

    /// <summary>The network of the paper with blocks of one kind.</summary>
    /// <param name="block">The kind.</param>
    /// <param name="depths">Blocks of each stage.</param>
    /// <param name="width">Channels of the stem, and of the 3 x 3 convolutions of the first stage; each stage has twice those of the one before.</param>
    public static ResNetConfig Of(ResNetBlockKind block, int[] depths, int width = 64) => new()
    {
        Block = block,
        Depths = depths,
        Width = width,
        Widths = [.. Enumerable.Range(0, Stages).Select(stage => (width << stage) * (block == ResNetBlockKind.Bottleneck ? Expansion : 1))],
    };

    /// <summary>The network of a preset, without a head.</summary>
    public static ResNetConfig Of(ResNetPreset preset) => preset switch
    {
        ResNetPreset.SmallImage => Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 32) with { ImageSize = 32, SmallStem = true },
        ResNetPreset.ResNet18 => Of(ResNetBlockKind.Basic, [2, 2, 2, 2]),
        ResNetPreset.ResNet34 => Of(ResNetBlockKind.Basic, [3, 4, 6, 3]),
        ResNetPreset.ResNet50 => Of(ResNetBlockKind.Bottleneck, [3, 4, 6, 3]),
        ResNetPreset.ResNet101 => Of(ResNetBlockKind.Bottleneck, [3, 4, 23, 3]),
        ResNetPreset.ResNet152 => Of(ResNetBlockKind.Bottleneck, [3, 8, 36, 3]),
        _ => throw new ArgumentOutOfRangeException(nameof(preset), preset, "Unknown preset."),
    };

    /// <summary>Reads Hugging Face's <c>config.json</c> of model type <c>resnet</c>. A missing key means the library's default.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The tensors in the checkpoint beside it: these tell whether there is a head. Null: the architecture's name tells.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static ResNetConfig FromHuggingFace(JsonElement config, IReadOnlyDictionary<string, TensorInfo>? tensors = null)
    {
        config.ModelType(ModelTypes);
        return (ConfigKeys.Read(config, new ResNetConfig()) with { Classes = PublishedClasses.Count(config, tensors, "classifier.1.weight", "fc.weight") }).Validate();
    }

    /// <summary>The <c>config.json</c> that Hugging Face's library writes for this network.</summary>
    /// <param name="labels">The class names, one for each class; null for a network without a head.</param>
    public JsonObject ToHuggingFace(IReadOnlyList<string>? labels)
    {
        if (Classes != labels?.Count)
            throw new ArgumentException($"The network has {Classes ?? 0} classes, but {labels?.Count ?? 0} labels were given.", nameof(labels));

        var json = ConfigKeys.Write(this, new Dictionary<string, JsonNode?>
        {
            ["architectures"] = new JsonArray(Classes is null ? "ResNetModel" : "ResNetForImageClassification"),
            ["model_type"] = "resnet",
            ["out_features"] = new JsonArray($"stage{Stages}"),
            ["out_indices"] = new JsonArray(Stages),
            ["stage_names"] = new JsonArray(["stem", .. Enumerable.Range(1, Stages).Select(stage => JsonValue.Create($"stage{stage}"))]),
            ["torch_dtype"] = "float32",
        });
        if (labels is not null)
            json.AddLabels(labels);
        return json;
    }

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public ResNetConfig Validate()
    {
        HyperParameters.Check(this);
        if (Depths.Length != Stages || Widths.Length != Stages)
            throw new ArgumentException($"A ResNet has {Stages} stages, each with a number of blocks and a width; there are {Depths.Length} and {Widths.Length}.");
        if (Block == ResNetBlockKind.Bottleneck && Widths.FirstOrDefault(width => width % Expansion != 0) is > 0 and var odd)
            throw new ArgumentException($"The width {odd} of a stage of bottlenecks cannot be divided by {Expansion}.");
        return this;
    }
}
