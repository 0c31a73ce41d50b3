using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ViTClassifier</c> can be told.</summary>
public sealed class ViTClassifierOptions : ImageClassifierOptions
{
    /// <summary>
    /// The network's size; default <see cref="ViTPreset.SmallImage"/>. A Hugging Face folder brings its own; a weights file without
    /// a config.json needs the preset that it was trained as.
    /// </summary>
    [Choice(new object[] { ViTPreset.SmallImage, ViTPreset.Tiny16 }, ViTPreset.SmallImage)]
    public ViTPreset Preset { get; set; } = ViTPreset.SmallImage;

    /// <summary>
    /// Height and width of the network's input in pixels; null takes the preset's or checkpoint's. A checkpoint's position
    /// embeddings are resampled for another size.
    /// </summary>
    [Choice(new object[] { 32, 48, 64 }, 32)]
    public int? ImageSize { get; set; }

    /// <summary>Height and width of a patch in pixels; null takes the preset's. A checkpoint's cannot be changed.</summary>
    public int? PatchSize { get; set; }

    internal override ClassifierBlueprint Open() => ViTModel.Classifier(this);

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Preset, nameof(Preset));
        OptionChecks.RequireAtLeast(ImageSize, 1);
        OptionChecks.RequireAtLeast(PatchSize, 1);
        if (PatchSize is not null && Checkpoint is not null)
            throw new ArgumentException($"{nameof(PatchSize)} is the checkpoint's own and cannot be changed; leave it null.", nameof(PatchSize));
    }
}
