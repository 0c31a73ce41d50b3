using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.ViT;

/// <summary>The image processors of the checkpoints of ViT, DeiT, DINOv2 and MAE.</summary>
internal sealed class ViTImageProcessors : IImageProcessors
{
    public IReadOnlyDictionary<string, string> OfModelTypes { get; } = new Dictionary<string, string>
    {
        ["vit"] = "ViT", ["deit"] = "DeiT", ["dinov2"] = "Bit", ["dinov2_with_registers"] = "Bit", ["vit_mae"] = "ViT",
    };

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
        // The class that knows crop_pct, which folders of networks trained elsewhere name.
        new("ConvNext", new() { Resize = new ImageResize.ShortestEdge(384), Filter = ResizeFilter.Bicubic, Normalization = ImageNormalization.Half }) { CropShare = 224 / 256.0 },
    ];
}
