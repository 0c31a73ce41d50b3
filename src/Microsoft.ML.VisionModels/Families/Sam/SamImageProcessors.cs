using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The image processor of Segment Anything's checkpoints.</summary>
internal sealed class SamImageProcessors : IImageProcessors
{
    public IReadOnlyDictionary<string, string> OfModelTypes { get; } = new Dictionary<string, string> { ["sam"] = "Sam" };

    public IEnumerable<ImageProcessorClass> All =>
    [
        new("Sam", new()
        {
            Resize = new ImageResize.LongestEdge(1024),
            Normalization = ImageNormalization.ImageNet,
            Pad = new(1024, 1024),
        })
        {
            Matches = steps => steps is { Pad: not null } or { Resize: ImageResize.LongestEdge },
        },
    ];
}
