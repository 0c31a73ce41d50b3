using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.ResNet;

/// <summary>How ResNets are published, and how a classifier is made of options. Their tensors tell nearly all of their configuration.</summary>
internal sealed partial class ResNetModel : PublishedFormat<ResNetConfig, ResNetNetwork>
{
    private const int SmallImage = 32;

    public override IReadOnlyList<string> Heads => ["fc.*"];

    // Not the stem's: names of blocks end like it.
    protected override IReadOnlyList<string> Landmarks { get; } =
    [
        "resnet.encoder.stages.0.layers.0.layer.0.convolution.weight", "encoder.stages.0.layers.0.layer.0.convolution.weight", "layer1.0.conv1.weight",
    ];

    public override IReadOnlyList<Dialect> Dialects(ResNetConfig config) => ResNetDialect.All;

    public override IReadOnlyList<string> ModelTypes => ResNetConfig.ModelTypes;

    protected override ResNetConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => ResNetConfig.FromHuggingFace(config, tensors);

    protected override ResNetConfig ReadTimm(TimmConfig config, Checkpoint weights)
    {
        if (!TimmName().IsMatch(config.Architecture))
            throw config.Unknown("resnetN and tv_resnetN, where N is the number of layers");
        config.CheckArguments("in_chans");
        return Measured(weights) with { ImageSize = config.NetworkSize };
    }

    protected override JsonObject WriteConfig(ResNetNetwork network, IReadOnlyList<string>? labels) => network.Config.ToHuggingFace(labels);

    protected override IEnumerable<(string Name, Tensor Value)> MoreTensors(ResNetConfig config) => ResNetDialect.HuggingFaceCounters(config);

    protected override int? ClassesOf(ResNetConfig config) => config.Classes;

    protected override ResNetConfig ReadTensors(Checkpoint weights, ModelFolder folder) => Measured(weights);

    /// <summary>torchvision's, for networks with its stem.</summary>
    protected override ImagePreprocessing? DefaultPreprocessing(ResNetConfig config, ModelFolder folder)
    {
        if (config.SmallStem || config.ImageSize != 224)
            return null;
        if (folder.Config is null)
            Notices.Say($"{folder.Path} does not tell how images are prepared, as a preprocessor_config.json would: they are prepared as torchvision's ResNets were trained, a crop of 224 x 224 of a shortest edge of 256, with ImageNet's statistics. Preprocessing decides otherwise.");
        return new()
        {
            Resize = new ImageResize.ShortestEdge(256), CenterCrop = 224, TorchvisionCrop = true, Normalization = ImageNormalization.ImageNet,
        };
    }

    /// <summary>What the names and shapes of a network's tensors tell of it.</summary>
    private static ResNetConfig Measured(Checkpoint weights)
    {
        var dialect = Dialect.For(weights, ResNetDialect.All);
        var prefix = dialect.PrefixIn(weights);
        var shapes = new Dictionary<string, IReadOnlyList<long>>();
        foreach (var tensor in weights.Tensors.Values)
        {
            if (dialect.Canonical(tensor.Name, prefix) is { } name)
                shapes[name] = tensor.Shape;
        }

        var isBottleneck = shapes.ContainsKey("layer1.0.conv3.weight");
        var stem = Shape("conv1.weight", 4);
        var isSmall = stem[2] == 3;
        return new()
        {
            ImageSize = isSmall ? SmallImage : 224,
            Channels = Whole(stem[1]),
            Width = Whole(stem[0]),
            Widths = [.. Stages().Select(stage => Whole(Shape($"{stage}.0.conv{(isBottleneck ? 3 : 2)}.weight", 4)[0]))],
            Depths = [.. Stages().Select(stage => shapes.Keys.Where(name => name.StartsWith(stage + ".", StringComparison.Ordinal)).Select(name => name.Split('.')[1]).Distinct().Count())],
            Block = isBottleneck ? ResNetBlockKind.Bottleneck : ResNetBlockKind.Basic,
            SmallStem = isSmall,
            Classes = shapes.ContainsKey("fc.weight") ? Whole(Shape("fc.weight", 2)[0]) : null,
        };

        static IEnumerable<string> Stages() => Enumerable.Range(1, ResNetConfig.Stages).Select(stage => $"layer{stage.ToString(CultureInfo.InvariantCulture)}");

        static int Whole(long number) => (int)Math.Min(number, int.MaxValue);

        IReadOnlyList<long> Shape(string name, int dimensions) => shapes.TryGetValue(name, out var shape) && shape.Count == dimensions
            ? shape
            : throw new CheckpointException($"{weights.Path} is of no ResNet: it has no '{name}' of {dimensions} dimensions, read with the names of {dialect.Name}.");
    }

    public static ClassifierBlueprint Classifier(ResNetClassifierOptions options)
    {
        var (format, preset) = (new ResNetModel(), ResNetConfig.Of(options.Preset));
        var published = options.Checkpoint is { } path
            ? format.Open(path, options.CheckpointWeights)
            : format.Random(preset with { ImageSize = options.ImageSize ?? preset.ImageSize });
        var imageSize = options.ImageSize ?? published.Config.ImageSize;
        var config = published.Config with { ImageSize = imageSize, DropPath = options.DropPath };
        return new(
            published.Preprocessing(options.Preprocessing, imageSize, options.ImageSize), published.Labels,
            (classes, newHead, generator) => published.Build(config with { Classes = classes }, generator, newHead));
    }

    [GeneratedRegex(@"\A(tv_)?resnet\d{2,3}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TimmName();
}

internal sealed class ResNetClassifierKind() : ImageClassifierKind<ResNetClassifierOptions, ResNetConfig, ResNetNetwork>("resnet-classifier", version: 1, new ResNetModel());
