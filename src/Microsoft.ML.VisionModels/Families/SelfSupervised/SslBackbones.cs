using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>A backbone that is decided on but not built.</summary>
/// <param name="Family">Its family.</param>
/// <param name="Preprocessing">How images become its input; the size is fixed.</param>
/// <param name="Patch">The size that its input is made of multiples of.</param>
/// <param name="Build">Builds it with its published weights, or draws them from the generator, which is the source of dropout too; scoring needs none.</param>
internal sealed record SslBackbonePlan(SslBackboneFamily Family, ImagePreprocessing Preprocessing, ImageSize Patch, Func<Generator?, nn.Module> Build)
{
    public ImageSize Size => new(Preprocessing.OutputHeight!.Value, Preprocessing.OutputWidth!.Value);
}

/// <summary>The families of networks that can be trained without labels, or whose published features can be used.</summary>
internal static class SslBackbones
{
    private static readonly SslBackboneFamily[] s_families = [new ResNetBackbones(), new ViTBackbones(), new SwinBackbones()];

    public static bool IsViT(SslBackbone backbone) => FamilyOf(backbone) is ViTBackbones;

    /// <summary>The backbone that the options ask for.</summary>
    /// <exception cref="CheckpointException">The checkpoint is of no such family, or damaged.</exception>
    public static SslBackbonePlan Open(SslFeaturizerOptions options)
    {
        var family = options.Checkpoint is { } path ? FamilyOf(path, options.CheckpointWeights) : FamilyOf(options.Backbone);
        return family.Open(options);
    }

    public static SslBackboneFamily Of(nn.Module network) => s_families.Single(family => family.NetworkType == network.GetType());

    /// <exception cref="FormatException">There is none of this name.</exception>
    public static SslBackboneFamily Named(string name) => s_families.FirstOrDefault(family => family.Name == name)
        ?? throw new FormatException($"The model file holds a network of the family '{name}', which this version of Microsoft.ML.VisionModels does not know. Update the package.");

    private static SslBackboneFamily FamilyOf(SslBackbone backbone) => s_families.Single(family => family.Has(backbone));

    /// <summary>The family of published weights, by the model type in config.json, or else by the tensors' names.</summary>
    private static SslBackboneFamily FamilyOf(string path, CheckpointWeights choice)
    {
        var folder = ModelFolder.Open(path);
        if (folder.Config is not null && folder.Timm is null)
        {
            var type = folder.ReadConfig(json => json.ModelType([.. s_families.SelectMany(family => family.ModelTypes)]));
            return s_families.Single(family => family.ModelTypes.Contains(type));
        }
        using var weights = folder.OpenWeights(choice);
        return s_families.FirstOrDefault(family => weights.Tensors.Keys.Any(family.IsTensor))
            ?? throw new CheckpointException($"{path} holds no network whose features can be used: a ResNet, a Vision Transformer or a Swin Transformer.");
    }
}

/// <summary>A family as backbones: how one is opened, built, and kept.</summary>
internal abstract class SslBackboneFamily(string name)
{
    /// <summary>Its name in model files.</summary>
    public string Name => name;

    public abstract Type NetworkType { get; }

    /// <summary>Hugging Face's names of such networks.</summary>
    public abstract IReadOnlyList<string> ModelTypes { get; }

    public abstract bool Has(SslBackbone backbone);

    /// <summary>Whether a tensor of this name is found in no other family's weights.</summary>
    public abstract bool IsTensor(string name);

    public abstract SslBackbonePlan Open(SslFeaturizerOptions options);

    public abstract JsonObject WriteConfig(nn.Module network);

    /// <summary>The network of a configuration, without values.</summary>
    public abstract nn.Module Build(string config);

    /// <summary>Writes the network as others publish it.</summary>
    public abstract void Publish(nn.Module network, ImagePreprocessing preprocessing, string folder);
}

/// <inheritdoc/>
/// <param name="name">Its name in model files.</param>
/// <param name="format">How its networks are published.</param>
/// <param name="backbones">Those that are of this family.</param>
internal abstract class SslBackboneFamily<TConfig, TNetwork>(string name, PublishedFormat<TConfig, TNetwork> format, IReadOnlyCollection<SslBackbone> backbones) : SslBackboneFamily(name)
    where TConfig : class
    where TNetwork : nn.Module, INetwork<TConfig, TNetwork>, IFeatureNetwork
{
    public sealed override Type NetworkType => typeof(TNetwork);

    public sealed override IReadOnlyList<string> ModelTypes => format.ModelTypes;

    public sealed override bool Has(SslBackbone backbone) => backbones.Contains(backbone);

    public sealed override SslBackbonePlan Open(SslFeaturizerOptions options)
    {
        var published = options.Checkpoint is { } path
            ? FormatOf(ModelFolder.Open(path), options.CheckpointWeights).Open(path, options.CheckpointWeights)
            : format.Random(Preset(options.Backbone, options.ImageSize));
        var size = options.ImageSize ?? SizeOf(published, options);
        var config = Headless(published.Config, options, size);
        return new(this, published.Preprocessing(options.Preprocessing, size, options.ImageSize), PatchOf(config),
            generator => Resized(published.Build(config, generator, newHead: true), size));
    }

    public sealed override JsonObject WriteConfig(nn.Module network) => ModelJson.ReadObject(ModelJson.Write(((TNetwork)network).Config), Name);

    public sealed override nn.Module Build(string config) => TNetwork.Create(ModelJson.Read<TConfig>(config));

    public sealed override void Publish(nn.Module network, ImagePreprocessing preprocessing, string folder) =>
        format.Save((TNetwork)network, labels: null, preprocessing, folder);

    /// <summary>The network of a preset, for images of a size.</summary>
    protected abstract TConfig Preset(SslBackbone backbone, int? imageSize);

    /// <summary>The same without a head, and without what is random in training but the method's own.</summary>
    /// <param name="config">What was published, or a preset.</param>
    /// <param name="options">The user's.</param>
    /// <param name="size">The size of images that the network is used with.</param>
    protected abstract TConfig Headless(TConfig config, SslFeaturizerOptions options, ImageSize size);

    /// <summary>How a bare weights file is read: by the preset that its tensors are of.</summary>
    protected virtual PublishedFormat<TConfig, TNetwork> Measured(Checkpoint weights) => format;

    /// <summary>The width of a network of patches; null where a file has none.</summary>
    protected static long? WidthOf(Checkpoint weights) =>
        weights.Tensors.Values.FirstOrDefault(tensor => tensor.Name.EndsWith("patch_embed.proj.weight", StringComparison.Ordinal))?.Shape[0];

    private PublishedFormat<TConfig, TNetwork> FormatOf(ModelFolder folder, CheckpointWeights choice)
    {
        if (folder.Config is not null)
            return format;      // config.json tells all
        using var weights = folder.OpenWeights(choice);
        return Measured(weights);
    }

    /// <summary>The size of images that the network is used with.</summary>
    protected abstract ImageSize SizeOf(PublishedModel<TConfig, TNetwork> published, SslFeaturizerOptions options);

    protected virtual ImageSize PatchOf(TConfig config) => 1;

    protected virtual TNetwork Resized(TNetwork network, ImageSize size) => network;
}

internal sealed class ResNetBackbones() : SslBackboneFamily<ResNetConfig, ResNetNetwork>("resnet", new ResNetModel(), s_presets.Keys)
{
    private static readonly Dictionary<SslBackbone, ResNetPreset> s_presets = new()
    {
        [SslBackbone.ResNetSmallImage] = ResNetPreset.SmallImage, [SslBackbone.ResNet18] = ResNetPreset.ResNet18, [SslBackbone.ResNet34] = ResNetPreset.ResNet34, [SslBackbone.ResNet50] = ResNetPreset.ResNet50,
    };

    // Images below this have little left to see behind a stem that makes a quarter of them, and stages that make an eighth of that.
    private const int LeastSizeForLargeStem = 65;

    public override bool IsTensor(string name) => name.EndsWith("layer1.0.conv1.weight", StringComparison.Ordinal);

    protected override ResNetConfig Preset(SslBackbone backbone, int? imageSize)
    {
        var config = ResNetConfig.Of(s_presets[backbone]);
        return imageSize is { } size ? config with { ImageSize = size, SmallStem = size < LeastSizeForLargeStem } : config;
    }

    protected override ResNetConfig Headless(ResNetConfig config, SslFeaturizerOptions options, ImageSize size) => config with { Classes = null, DropPath = 0, ImageSize = size };

    // Any size goes through a ResNet, so that what images are prepared as is the size.
    protected override ImageSize SizeOf(PublishedModel<ResNetConfig, ResNetNetwork> published, SslFeaturizerOptions options) =>
        published.PreparedSize(options.Preprocessing) ?? published.Config.ImageSize;
}

internal sealed class ViTBackbones() : SslBackboneFamily<ViTConfig, ViTNetwork>("vit", new ViTModel(default), s_presets.Keys)
{
    private static readonly Dictionary<SslBackbone, ViTPreset> s_presets = new()
    {
        [SslBackbone.ViTSmallImage] = ViTPreset.SmallImage, [SslBackbone.ViTTiny16] = ViTPreset.Tiny16, [SslBackbone.ViTSmall16] = ViTPreset.Small16, [SslBackbone.ViTBase16] = ViTPreset.Base16,
    };

    public override bool IsTensor(string name) => name.EndsWith("cls_token", StringComparison.Ordinal) || name.EndsWith("pos_embed", StringComparison.Ordinal);

    protected override ViTConfig Preset(SslBackbone backbone, int? imageSize)
    {
        var config = ViTConfig.Of(s_presets[backbone]);
        return config with { ImageSize = imageSize ?? config.ImageSize };
    }

    protected override ViTConfig Headless(ViTConfig config, SslFeaturizerOptions options, ImageSize size)
    {
        if (options.Trains || options.ImageSize is not null)
            config.RequireFilled(size);
        return config with
        {
            Classes = null,
            Pooler = false,
            DistillationHead = false,
            // Views of other sizes than the network's are what DINO learns from, by its own rule.
            Interpolation = config.Interpolation ?? (options.Method == SslMethod.Dino ? PositionInterpolation.ScaleFactor : null),
            Pooling = options.Pooling switch
            {
                null => config.Pooling,
                SslPooling.Class => ViTPooling.Class,
                SslPooling.Mean => ViTPooling.Mean,
                _ => ViTPooling.ClassAndMean,
            },
            Dropout = 0,
            AttentionDropout = 0,
            DropPath = 0,
        };
    }

    /// <summary>Every published width is of one size.</summary>
    protected override PublishedFormat<ViTConfig, ViTNetwork> Measured(Checkpoint weights)
    {
        ViTPreset?[] sizes = [ViTPreset.SmallImage, ViTPreset.Tiny16, ViTPreset.Small16, ViTPreset.Base16, ViTPreset.Large16, ViTPreset.Huge14, ViTPreset.Giant14];
        var width = WidthOf(weights);
        return sizes.FirstOrDefault(size => ViTConfig.Of(size!.Value).Width == width) is { } found ? new ViTModel(found) : base.Measured(weights);
    }

    protected override ImageSize SizeOf(PublishedModel<ViTConfig, ViTNetwork> published, SslFeaturizerOptions options) => ViTModel.ImageSizeOf(published, null, options.Preprocessing);

    protected override ImageSize PatchOf(ViTConfig config) => config.PatchSize;

    protected override ViTNetwork Resized(ViTNetwork network, ImageSize size) => network.Resize(size);
}

internal sealed class SwinBackbones() : SslBackboneFamily<SwinConfig, SwinNetwork>("swin", new SwinModel(default), s_presets.Keys)
{
    private static readonly Dictionary<SslBackbone, SwinPreset> s_presets = new() { [SslBackbone.SwinSmallImage] = SwinPreset.SmallImage, [SslBackbone.SwinTiny] = SwinPreset.Tiny };

    public override bool IsTensor(string name) => name.EndsWith("layers.0.blocks.0.norm1.weight", StringComparison.Ordinal);

    protected override SwinConfig Preset(SslBackbone backbone, int? imageSize)
    {
        var config = SwinPresets.Of(s_presets[backbone]);
        return config with { ImageSize = imageSize ?? config.ImageSize };
    }

    protected override SwinConfig Headless(SwinConfig config, SslFeaturizerOptions options, ImageSize size) => config with { Classes = null, Dropout = 0, AttentionDropout = 0, DropPath = 0 };

    /// <summary>Swin-T and Swin-S have one width, and the latter has more blocks.</summary>
    protected override PublishedFormat<SwinConfig, SwinNetwork> Measured(Checkpoint weights)
    {
        var isSmall = weights.Tensors.Keys.Any(name => name.EndsWith("layers.2.blocks.17.norm1.weight", StringComparison.Ordinal));
        return new SwinModel(WidthOf(weights) switch
        {
            48 => SwinPreset.SmallImage,
            96 => isSmall ? SwinPreset.Small : SwinPreset.Tiny,
            128 => SwinPreset.Base,
            192 => SwinPreset.Large,
            _ => default,
        });
    }

    protected override ImageSize SizeOf(PublishedModel<SwinConfig, SwinNetwork> published, SslFeaturizerOptions options) => published.Config.ImageSize;

    protected override ImageSize PatchOf(SwinConfig config) => config.PatchSize;

    protected override SwinNetwork Resized(SwinNetwork network, ImageSize size) => network.Resize(size);
}
