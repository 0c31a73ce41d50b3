using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>How Swin Transformers are published, and how a classifier or a featurizer is made of options.</summary>
/// <param name="preset">What a bare weights file was trained as.</param>
internal sealed class SwinModel(SwinPreset preset) : PublishedFormat<SwinConfig, SwinNetwork>
{
    public override IReadOnlyList<string> Heads => ["head.*"];

    protected override IReadOnlyList<string> Landmarks { get; } =
    [
        "swin.embeddings.patch_embeddings.projection.weight", "swinv2.embeddings.patch_embeddings.projection.weight", "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.weight",
    ];

    public override IReadOnlyList<Dialect> Dialects(SwinConfig config) => SwinDialect.All(config);

    public override IReadOnlyList<string> ModelTypes => SwinConfig.ModelTypes;

    protected override SwinConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => SwinConfig.FromHuggingFace(config, tensors);

    protected override SwinConfig ReadTimm(TimmConfig config, Checkpoint weights) =>
        SwinTimm.Read(config) with { Classes = PublishedClasses.Count(weights.Tensors, "head.fc.weight", "head.weight") };

    protected override JsonObject WriteConfig(SwinNetwork network, IReadOnlyList<string>? labels) => network.Config.ToHuggingFace(labels);

    protected override IEnumerable<(string Name, Tensor Value)> MoreTensors(SwinConfig config) => SwinDialect.HuggingFaceBuffers(config);

    protected override int? ClassesOf(SwinConfig config) => config.Classes;

    /// <summary>A bare weights file tells the size of its patches and, in V1, of its windows.</summary>
    protected override SwinConfig ReadTensors(Checkpoint weights, ModelFolder folder)
    {
        var config = SwinPresets.Of(preset);
        if (weights.Tensors.Values.FirstOrDefault(tensor => tensor.Shape.Count == 4) is { } patch)    // no other tensor has four dimensions
        {
            if (patch.Shape[0] != config.Width)
                throw WrongPreset(weights, preset, patch.Shape[0], other => SwinPresets.Of(other).Width);
            config = config with { PatchSize = new((int)patch.Shape[2], (int)patch.Shape[3]) };
        }
        if (config.Version == SwinVersion.V1 && weights.Tensors.Values.FirstOrDefault(tensor => tensor.Name.EndsWith(".relative_position_bias_table", StringComparison.Ordinal)) is { } table)
            config = config with { WindowSize = ((int)Math.Sqrt(table.Shape[0]) + 1) / 2 };
        return config;
    }

    public static ClassifierBlueprint Classifier(SwinClassifierOptions options)
    {
        var (format, preset) = (new SwinModel(options.Preset), SwinPresets.Of(options.Preset));
        var published = options.Checkpoint is { } path ? format.Open(path, options.CheckpointWeights) : format.Random(preset with
        {
            ImageSize = options.ImageSize ?? preset.ImageSize,
            PatchSize = options.PatchSize ?? preset.PatchSize,
            WindowSize = options.WindowSize ?? preset.WindowSize,
        });
        var (imageSize, windowSize) = (options.ImageSize ?? published.Config.ImageSize, options.WindowSize ?? published.Config.WindowSize);
        var config = published.Config with { DropPath = options.DropPath };
        return new(
            published.Preprocessing(options.Preprocessing, imageSize, options.ImageSize), published.Labels,
            (classes, newHead, generator) => published.Build(config with { Classes = classes }, generator, newHead).Resize(imageSize, windowSize));
    }

    public static ImageFeaturizerTransformer Featurizer(FitContext<SwinFeaturesOptions> context)
    {
        var options = context.Options;
        var published = new SwinModel(options.Preset).Open(options.Checkpoint!, options.CheckpointWeights);
        var size = options.ImageSize ?? published.Config.ImageSize;
        var preprocessing = published.Preprocessing(options.Preprocessing, size, options.ImageSize);
        return SwinFeaturizerKind.Fit(context, published.Build(published.Config with { Classes = null }, newHead: true).Resize(size, options.WindowSize), preprocessing);
    }
}

internal sealed class SwinClassifierKind() : ImageClassifierKind<SwinClassifierOptions, SwinConfig, SwinNetwork>("swin-classifier", version: 1, new SwinModel(default));

internal sealed class SwinFeaturizerKind() : ImageFeaturizerKind<SwinFeaturesOptions, SwinConfig, SwinNetwork>("swin-features", version: 1), IPublishedKind
{
    public void Publish(FittedModel model, NetworkUse network, string folder) => new SwinModel(default).Save(network.As<SwinNetwork>(), labels: null, model.Processor!.Settings, folder);
}
