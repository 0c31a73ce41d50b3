using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>The image processors of ViT's and DeiT's checkpoints.</summary>
internal sealed class ViTImageProcessors : IImageProcessors
{
    public IEnumerable<ImageProcessorClass> All =>
    [
        new("ViT", ImagePreprocessing.ExactSize(224, 224))
        {
            Matches = steps => steps is { Pad: null, Resize: null or ImageResize.Exact, CenterCrop: null },
            AssumedForCenterCrop = false,
        },
        new("DeiT", ImagePreprocessing.ExactSize(256, 256, ResizeFilter.Bicubic) with { CenterCrop = new(224, 224) })
        {
            Matches = steps => steps is { Pad: null, Resize: ImageResize.Exact, CenterCrop: not null },
        },
    ];
}
