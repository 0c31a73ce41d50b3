using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The generator of segments and, where there is one, the classifier that says what they show.</summary>
internal sealed class SamFinder(SamPredictor predictor, SamEverythingOptions settings, ClassifierTransformer? classifier)
{
    private const int CropsAtOnce = 16;

    private readonly SamGenerator _generator = new(predictor, settings);

    public IReadOnlyList<SamSegment> Find(RgbImage image, IProgress<SamEverythingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var segments = _generator.Generate(image, progress, cancellation);
        return classifier is null ? segments : [.. segments.Chunk(CropsAtOnce).SelectMany(some => Name(image, some, classifier, cancellation))];
    }

    private static IEnumerable<SamSegment> Name(RgbImage image, SamSegment[] segments, ClassifierTransformer classifier, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var answers = classifier.Classify([.. segments.Select(segment => segment.Mask.Box).Select(box => image.Window(box.Left, box.Top, box.Right - box.Left + 1, box.Bottom - box.Top + 1))]);
        return segments.Zip(answers, (segment, answer) => segment with { Label = answer.Label, LabelScore = answer.Score });
    }
}
