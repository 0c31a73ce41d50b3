using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.SwinClassifier</c> can be told.</summary>
public sealed class SwinClassifierOptions : ImageClassifierOptions
{
    /// <summary>
    /// The network's size; default <see cref="SwinPreset.SmallImage"/>. A Hugging Face folder brings its own; a weights file without
    /// a config.json needs the preset that it was trained as.
    /// </summary>
    [Choice(new object[] { SwinPreset.SmallImage, SwinPreset.Tiny }, SwinPreset.SmallImage)]
    public SwinPreset Preset { get; set; } = SwinPreset.SmallImage;

    /// <summary>Height and width of the network's input in pixels; null takes the preset's or checkpoint's.</summary>
    [Choice(new object[] { 32, 48, 64 }, 32)]
    public int? ImageSize { get; set; }

    /// <summary>Height and width of a patch in pixels; null takes the preset's. A checkpoint's cannot be changed.</summary>
    public int? PatchSize { get; set; }

    /// <summary>
    /// Height and width of an attention window in tokens; null takes the preset's or checkpoint's. A checkpoint's position biases
    /// are resampled for another size. Best a divisor of the grid, the image size over the patch size, and of its half, quarter and eighth:
    /// what windows do not fill is padded.
    /// </summary>
    public int? WindowSize { get; set; }

    internal override ClassifierBlueprint Open() => SwinModel.Classifier(this);

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Preset, nameof(Preset));
        OptionChecks.RequireAtLeast(ImageSize, 1);
        OptionChecks.RequireAtLeast(WindowSize, 1);
        OptionChecks.RequireAtLeast(PatchSize, 1);
        if (PatchSize is not null && Checkpoint is not null)
            throw new ArgumentException($"{nameof(PatchSize)} is the checkpoint's own and cannot be changed; leave it null.", nameof(PatchSize));
    }
}
