using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>What the transformer keeps of <see cref="SamEverythingOptions"/>. Saved with the model.</summary>
internal sealed record SamEverythingSettings(
    string ImageColumn, string? SegmentsColumn, string? CountColumn, string? LabelImageColumn, string? OverlayColumn, CocoSegmentation Form,
    SamGeneratorSettings Generator, bool HasClassifier, int BatchSize, Precision Precision, bool SkipInvalidImages)
{
    public static SamEverythingSettings Of(SamEverythingOptions options) => new(
        options.ImageColumnName, options.SegmentsColumnName, options.SegmentCountColumnName, options.LabelImageColumnName, options.OverlayColumnName, options.SegmentForm,
        options.Settings, options.Classifier is not null, options.ScoringBatchSize, options.Precision, options.SkipInvalidImages);
}
