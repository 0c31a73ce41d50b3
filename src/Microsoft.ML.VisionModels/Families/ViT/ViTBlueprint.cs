using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>A ViT classifier as its options describe it: from random weights, a Hugging Face folder, or a weights file.</summary>
internal sealed class ViTBlueprint : ClassifierBlueprint
{
    // A head of another size is left out where a new one is wanted.
    private static readonly string[] HeadPatterns = ["head.*", "head_dist.*"];

    private readonly string? _checkpoint;
    private readonly ViTConfig _config;     // of the checkpoint, where there is one
    private readonly ImageSize _imageSize;   // that the user wants

    private ViTBlueprint(ViTClassifierOptions options, ViTConfig config, ImagePreprocessing? preprocessing, IReadOnlyList<string>? labels)
    {
        _checkpoint = options.Checkpoint;
        _config = config with { DropPath = options.DropPath, Pooler = false };
        _imageSize = options.ImageSize ?? config.ImageSize;
        if ((options.ImageSize ?? options.PatchSize) is not null && (_imageSize.Height % config.PatchSize.Height, _imageSize.Width % config.PatchSize.Width) != (0, 0))
        {
            throw new ArgumentException(
                $"ImageSize is {_imageSize}, which patches of {config.PatchSize} do not fill: pixels at the edge would be left out. Choose a multiple of the patch size.");
        }
        Preprocessing = NetworkInput.Preprocessing(options.Preprocessing, preprocessing, options.ImageSize, _imageSize);
        PublishedLabels = labels;
    }

    public override ImagePreprocessing Preprocessing { get; }

    public override IReadOnlyList<string>? PublishedLabels { get; }

    public static ViTBlueprint From(ViTClassifierOptions options)
    {
        var preset = ViTConfig.Of(options.Preset);
        if (options.Checkpoint is not { } path)
        {
            return new(options, preset with
            {
                ImageSize = options.ImageSize ?? preset.ImageSize,
                PatchSize = options.PatchSize ?? preset.PatchSize,
            }, preprocessing: null, labels: null);
        }

        using var checkpoint = Checkpoint.Open(path);
        if (!Directory.Exists(path))
            return new(options, OfFile(options.Preset, checkpoint), preprocessing: null, labels: null);

        var folder = HuggingFaceFolder.Open(path);
        var config = folder.Read(json => ViTConfig.FromHuggingFace(json, checkpoint.Tensors.Keys));
        return new(options, config, folder.Preprocessing, config.Classes is null ? null : folder.Read(JsonConfig.Labels));
    }

    public override ViTClassifierModel Build(LabelSet labels, bool newHead, torch.Generator generator)
    {
        var network = new ViTNetwork(_config with { Classes = labels.Count }, generator);
        try
        {
            if (_checkpoint is null)
                return new(network.Initialize(generator));

            using var checkpoint = Checkpoint.Open(_checkpoint);
            var dialect = Dialect.For(checkpoint, ViTDialect.HuggingFace(network.Config), ViTDialect.Timm);
            CheckpointLoader.Load(network, checkpoint, dialect, newHead ? HeadPatterns : []);
            if (newHead)
                network.InitializeHeads(generator);
            return new(network.Resize(_imageSize));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A bare weights file tells the size of its patches and, where its patches make a square, of its images.</summary>
    /// <exception cref="CheckpointException">The file's network has another width than the preset.</exception>
    private static ViTConfig OfFile(ViTPreset presetName, Checkpoint checkpoint)
    {
        var preset = ViTConfig.Of(presetName);
        if (!checkpoint.Tensors.TryGetValue("patch_embed.proj.weight", out var patch) || patch.Shape.Count != 4
            || !checkpoint.Tensors.TryGetValue("pos_embed", out var positions) || positions.Shape.Count != 3)
            return preset;
        if (patch.Shape[0] != preset.Width)
        {
            var fitting = Enum.GetValues<ViTPreset>().Where(other => ViTConfig.Of(other).Width == patch.Shape[0]).ToArray();
            throw new CheckpointException(
                $"{checkpoint.Path} does not fit the preset {presetName}: its width is {patch.Shape[0]}, the preset's {preset.Width}. " +
                (fitting.Length == 0 ? "No preset has that width." : $"Set Preset to what it was trained as; that width have {string.Join(", ", fitting)}."));
        }
        var patchSize = new ImageSize((int)patch.Shape[2], (int)patch.Shape[3]);
        var side = (int)Math.Sqrt(positions.Shape[1] - preset.PositionedTokens);
        return side * side + preset.PositionedTokens == positions.Shape[1]
            ? preset with { PatchSize = patchSize, ImageSize = new(side * patchSize.Height, side * patchSize.Width) }
            : preset with { PatchSize = patchSize };
    }
}
