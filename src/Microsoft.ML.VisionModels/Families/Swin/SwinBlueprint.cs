using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>A Swin classifier as its options describe it: from random weights, a Hugging Face folder, or a weights file.</summary>
internal sealed class SwinBlueprint : ClassifierBlueprint
{
    private readonly SwinSource _source;
    private readonly SwinConfig _config;     // of the checkpoint, where there is one
    private readonly ImageSize _imageSize;   // that the user wants
    private readonly int _windowSize;

    private SwinBlueprint(SwinClassifierOptions options, SwinSource source)
    {
        _source = source;
        _config = source.Config with { DropPath = options.DropPath };
        _imageSize = options.ImageSize ?? source.Config.ImageSize;
        _windowSize = options.WindowSize ?? source.Config.WindowSize;
        Preprocessing = NetworkInput.Preprocessing(options.Preprocessing, source.Preprocessing, options.ImageSize, _imageSize);
    }

    public override ImagePreprocessing Preprocessing { get; }

    public override IReadOnlyList<string>? PublishedLabels => _source.Labels;

    public static SwinBlueprint From(SwinClassifierOptions options)
    {
        var source = SwinSource.Open(options.Preset, options.Checkpoint);
        return new(options, options.Checkpoint is not null ? source : source with
        {
            Config = source.Config with
            {
                ImageSize = options.ImageSize ?? source.Config.ImageSize,
                PatchSize = options.PatchSize ?? source.Config.PatchSize,
                WindowSize = options.WindowSize ?? source.Config.WindowSize,
            },
        });
    }

    public override SwinClassifierModel Build(LabelSet labels, bool newHead, torch.Generator generator) =>
        new(_source.Build(_config with { Classes = labels.Count }, ownHead: !newHead, generator).Resize(_imageSize, _windowSize));
}
