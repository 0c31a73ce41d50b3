using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.ResNet;

/// <summary>The image processors of ResNet's checkpoints, whose class is that of ConvNeXt.</summary>
internal sealed class ResNetImageProcessors : IImageProcessors
{
    public IReadOnlyDictionary<string, string> OfModelTypes { get; } = new Dictionary<string, string> { ["resnet"] = "ConvNext" };
}
