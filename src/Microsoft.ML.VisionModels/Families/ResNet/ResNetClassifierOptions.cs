using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What <c>mlContext.Transforms.ResNetClassifier</c> can be told.</summary>
public sealed class ResNetClassifierOptions : ImageClassifierOptions
{
    /// <summary>The network's size; default <see cref="ResNetPreset.SmallImage"/>. A checkpoint, be it a folder or a weights file, brings its own.</summary>
    [Choice(new object[] { ResNetPreset.SmallImage, ResNetPreset.ResNet18 }, ResNetPreset.SmallImage)]
    public ResNetPreset Preset { get; set; } = ResNetPreset.SmallImage;

    /// <summary>
    /// Height and width of the network's input in pixels; null takes the preset's or checkpoint's, which for a weights file without a
    /// config.json is 224, or 32 where its first convolution is of 3 x 3. Any size works.
    /// </summary>
    [Choice(new object[] { 32, 48, 64 }, 32)]
    public int? ImageSize { get; set; }

    internal override ClassifierBlueprint Open() => ResNetModel.Classifier(this);

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Preset, nameof(Preset));
        OptionChecks.RequireAtLeast(ImageSize, 1);
    }
}
