using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>The image processors of CLIP's and SigLIP's checkpoints.</summary>
internal sealed class ClipImageProcessors : IImageProcessors
{
    private static readonly ImagePreprocessing s_clip = new()
    {
        Resize = new ImageResize.ShortestEdge(224),
        Filter = ResizeFilter.Bicubic,
        CenterCrop = new(224, 224),
        Normalization = ImageNormalization.Clip,
    };

    public IReadOnlyDictionary<string, string> OfModelTypes { get; } = new Dictionary<string, string> { ["clip"] = "CLIP", ["siglip"] = "Siglip" };

    public IEnumerable<ImageProcessorClass> All =>
    [
        new("CLIP", s_clip)
        {
            Matches = steps => steps is { Pad: null, Resize: ImageResize.ShortestEdge } or { Pad: null, Resize: null, CenterCrop: not null },
            AssumedForCenterCrop = true,
        },
        new("Bit", s_clip), // some CLIP checkpoints name this class, which has the same settings
        new("Siglip", ImagePreprocessing.ExactSize(224, 224, ResizeFilter.Bicubic)),
        // BLIP has no family here yet. Its class is kept with those of CLIP, whose normalization it has.
        new("Blip", ImagePreprocessing.ExactSize(384, 384, ResizeFilter.Bicubic) with { Normalization = ImageNormalization.Clip }),
    ];
}
