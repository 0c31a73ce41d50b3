using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Swin;

/// <summary>The image processors of Swin's checkpoints, whose class is that of the Vision Transformer.</summary>
internal sealed class SwinImageProcessors : IImageProcessors
{
    public IReadOnlyDictionary<string, string> OfModelTypes { get; } = new Dictionary<string, string> { ["swin"] = "ViT", ["swinv2"] = "ViT" };
}
