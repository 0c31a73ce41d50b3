using System.Text.Json;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>How SAM is published: Hugging Face's folder, Meta's file, or MobileSAM's. A file tells by its tensors which it is.</summary>
internal sealed class SamModel : PublishedFormat<SamConfig, SamNetwork>
{
    private const string MetaPatches = "image_encoder.patch_embed.proj.weight";
    private const string MobilePatches = "image_encoder.patch_embed.seq.0.c.weight";

    protected override IReadOnlyList<string> Landmarks { get; } = ["vision_encoder.patch_embed.projection.weight", MetaPatches, MobilePatches];

    public override IReadOnlyList<Dialect> Dialects(SamConfig config) => SamDialect.All(config);

    public override Checkpoint Prepare(Checkpoint weights) => new TinyVitFoldedCheckpoint(weights);

    protected override bool FolderNeedsConfig => false;

    public override IReadOnlyList<string> ModelTypes => SamConfig.ModelTypes;

    protected override SamConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors) => SamConfig.FromHuggingFace(config);

    protected override SamConfig ReadTensors(Checkpoint weights, ModelFolder folder)
    {
        if (weights.Tensors.ContainsKey(MobilePatches))
            return SamPresets.Of(SamPreset.Mobile);
        if (!weights.Tensors.TryGetValue(MetaPatches, out var patches))
            throw new CheckpointException($"{weights.Path} is no SAM: it has neither '{MetaPatches}' (Meta's files) nor '{MobilePatches}' (MobileSAM's); a Hugging Face folder has a config.json.");
        return Enum.GetValues<SamPreset>().Select(SamPresets.Of).FirstOrDefault(preset => preset.Vision?.Width == patches.Shape[0])
            ?? throw new CheckpointException($"{weights.Path} has an image encoder of width {patches.Shape[0]}; SAM's have {string.Join(", ", Enum.GetValues<SamPreset>().Select(SamPresets.Of).Select(preset => preset.Vision?.Width).OfType<int>())}.");
    }

    protected override ImagePreprocessing DefaultPreprocessing(SamConfig config, ModelFolder folder) => PreprocessingOf(config);

    /// <summary>As SAM's own code prepares images: the longest edge to the network's size, ImageNet's colors, and zeros right and below.</summary>
    public static ImagePreprocessing PreprocessingOf(SamConfig config) => new()
    {
        Resize = new ImageResize.LongestEdge(config.ImageSize),
        Normalization = ImageNormalization.ImageNet,
        Pad = config.ImageSize,
    };

    public static SamMasksTransformer FitMasks(FitContext<SamMasksOptions> context) => new(context.Host, Load(context));

    public static SamEverythingTransformer FitEverything(FitContext<SamEverythingOptions> context) => new(context.Host, Load(context, context.Options.Classifier));

    private static FittedModel Load<TOptions>(FitContext<TOptions> context, ClassifierTransformer? classifier = null)
        where TOptions : SamOptions
    {
        var published = new SamModel().Open(context.Options.Checkpoint!, context.Options.CheckpointWeights);
        var preprocessing = published.Preprocessing(context.Options.Preprocessing, published.Config.ImageSize);
        return new(context.Options, published.Build(), context.Device) { Processor = new(preprocessing), Inner = classifier };
    }
}

internal sealed class SamMasksKind() : ModelKind<SamMasksOptions, SamConfig, SamNetwork>("sam-masks", version: 1)
{
    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new SamMasksTransformer(environment, model);
}

internal sealed class SamEverythingKind() : ModelKind<SamEverythingOptions, SamConfig, SamNetwork>("sam-everything", version: 1)
{
    public override BatchTransformer Create(IHostEnvironment environment, FittedModel model) => new SamEverythingTransformer(environment, model);
}
