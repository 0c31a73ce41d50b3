using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>How Vision Transformers are published, and how one is made of options.</summary>
/// <param name="preset">What a bare weights file was trained as.</param>
internal sealed class ViTModel(ViTPreset preset) : PublishedFormat<ViTConfig, ViTNetwork>
{
    public override IReadOnlyList<string> Heads => ["head.*", "head_dist.*"];

    protected override IReadOnlyList<string> Landmarks { get; } =
    [
        "vit.embeddings.patch_embeddings.projection.weight", "deit.embeddings.patch_embeddings.projection.weight",
        "dinov2.embeddings.patch_embeddings.projection.weight", "dinov2_with_registers.embeddings.patch_embeddings.projection.weight",
        "embeddings.patch_embeddings.projection.weight", "patch_embed.proj.weight",
    ];

    public override IReadOnlyList<Dialect> Dialects(ViTConfig config) => ViTDialect.All(config);

    public override IReadOnlyList<string> ModelTypes => ViTConfig.ModelTypes;

    protected override ViTConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => ViTConfig.FromHuggingFace(config, tensors);

    protected override ViTConfig ReadTimm(TimmConfig config, Checkpoint weights) =>
        Measured(ViTTimm.Read(config), weights) with { Classes = PublishedClasses.Count(weights.Tensors, "head.weight") };

    protected override JsonObject WriteConfig(ViTNetwork network, IReadOnlyList<string>? labels) => network.Config.ToHuggingFace(labels);

    /// <summary>As DINOv2's authors prepare images for evaluation: the center of 224 x 224 of a shorter edge of 256, or of smaller images as much. Of other networks nothing is usual.</summary>
    protected override ImagePreprocessing? DefaultPreprocessing(ViTConfig config, ModelFolder folder)
    {
        var side = Math.Min(224, config.ImageSize.Height);
        return !config.IsDinoV2 ? null : new()
        {
            Resize = new ImageResize.ShortestEdge(side * 256 / 224),
            Filter = ResizeFilter.Bicubic,
            CenterCrop = side,
            TorchvisionCrop = folder.Config is null,
            Normalization = ImageNormalization.ImageNet,
        };
    }

    /// <summary>What DINOv2's files hold for training with hidden patches.</summary>
    protected override IEnumerable<(string Name, Tensor Value)> MoreTensors(ViTConfig config)
    {
        if (config.IsDinoV2)
            yield return ((config.Classes is null ? "" : ViTDialect.HuggingFace(config).Prefixes[0]) + "embeddings.mask_token", zeros(1, config.Width));
    }

    protected override int? ClassesOf(ViTConfig config) => config.Classes;

    /// <summary>
    /// A bare weights file tells the size of its patches and, where its patches make a square, of its images; one of DINOv2 that it is of
    /// DINOv2, whose authors resample positions in ways of their own.
    /// </summary>
    protected override ViTConfig ReadTensors(Checkpoint weights, ModelFolder folder)
    {
        var config = ViTConfig.Of(preset);
        if (weights.Tensors.TryGetValue("patch_embed.proj.weight", out var patch) && patch.Shape.Count == 4 && patch.Shape[0] != config.Width)
            throw WrongPreset(weights, preset, patch.Shape[0], other => ViTConfig.Of(other).Width);
        if (weights.Tensors.ContainsKey("blocks.0.ls1.gamma"))
        {
            var registers = weights.Tensors.TryGetValue("register_tokens", out var tokens) && tokens.Shape.Count == 3 ? (int)tokens.Shape[1] : 0;
            config = config with
            {
                LayerScale = 1,
                RegisterTokens = registers,
                Interpolation = registers > 0 ? PositionInterpolation.AntialiasedSize : PositionInterpolation.ScaleFactor,
            };
        }
        return Measured(config, weights);
    }

    private static ViTConfig Measured(ViTConfig config, Checkpoint weights)
    {
        if (!weights.Tensors.TryGetValue("patch_embed.proj.weight", out var patch) || patch.Shape.Count != 4
            || !weights.Tensors.TryGetValue("pos_embed", out var positions) || positions.Shape.Count != 3)
            return config;
        config = config with { PatchSize = new((int)patch.Shape[2], (int)patch.Shape[3]) };
        var side = (int)Math.Sqrt(positions.Shape[1] - config.PositionedTokens);
        return side * side + config.PositionedTokens == positions.Shape[1]
            ? config with { ImageSize = new(side * config.PatchSize.Height, side * config.PatchSize.Width) }
            : config;
    }

    /// <summary>
    /// The size of the images that a network is to be used for: the user's; of a network that resamples its positions by itself, as
    /// DINOv2 for images of 518 x 518 that is used at 224, what images are prepared as; else that which it was trained for.
    /// </summary>
    /// <exception cref="CheckpointException">The publisher prepares images to a size that such a network cannot have.</exception>
    public static ImageSize ImageSizeOf(PublishedModel<ViTConfig, ViTNetwork> published, ImageSize? chosen, ImagePreprocessing? preprocessing)
    {
        if (chosen is not null || published.Config.Interpolation is null || published.PreparedSize(preprocessing) is not { } prepared)
            return chosen ?? published.Config.ImageSize;
        try
        {
            (published.Config with { ImageSize = prepared }).Validate();
        }
        catch (ArgumentException e) when (preprocessing is null)
        {
            throw new CheckpointException($"{published.Folder!.Path}: images are prepared to {prepared}, which the network cannot have: {e.Message}", e);
        }
        return prepared;
    }

    public static ClassifierBlueprint Classifier(ViTClassifierOptions options)
    {
        var (format, preset) = (new ViTModel(options.Preset), ViTConfig.Of(options.Preset));
        var published = options.Checkpoint is { } path ? format.Open(path, options.CheckpointWeights) : format.Random(preset with
        {
            ImageSize = options.ImageSize ?? preset.ImageSize,
            PatchSize = options.PatchSize ?? preset.PatchSize,
        });
        var imageSize = ImageSizeOf(published, options.ImageSize, options.Preprocessing);
        if ((options.ImageSize ?? options.PatchSize) is not null)
            published.Config.RequireFilled(imageSize);
        var config = published.Config with { DropPath = options.DropPath, Pooler = false };
        // A head of DINOv2 that is new is as Hugging Face's library has it.
        if (config is { IsDinoV2: true, Classes: null })
            config = config with { Pooling = ViTPooling.ClassAndMean };
        return new(
            published.Preprocessing(options.Preprocessing, imageSize, options.ImageSize), published.Labels,
            (classes, newHead, generator) => published.Build(config with { Classes = classes }, generator, newHead).Resize(imageSize));
    }
}

internal sealed class ViTClassifierKind() : ImageClassifierKind<ViTClassifierOptions, ViTConfig, ViTNetwork>("vit-classifier", version: 1, new ViTModel(default));
