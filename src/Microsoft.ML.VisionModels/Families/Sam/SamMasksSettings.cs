using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>What the transformer keeps of <see cref="SamMasksOptions"/>. Saved with the model.</summary>
internal sealed record SamMasksSettings(
    string ImageColumn, string? PointsColumn, string? PointLabelsColumn, string? BoxesColumn, string? RoughMaskColumn,
    float[] Points, float[] PointLabels, float[] Boxes, int? PointsPerPrompt, bool RelativeCoordinates, SamMaskChoice Masks,
    string? MaskColumn, string? ScoresColumn, string? RunLengthsColumn, string? AreasColumn, string? BoxesOutputColumn, string? LogitsColumn,
    int BatchSize, Precision Precision, bool SkipInvalidImages)
{
    public static SamMasksSettings Of(SamMasksOptions options) => new(
        options.ImageColumnName, options.PointsColumnName, options.PointLabelsColumnName, options.BoxesColumnName, options.RoughMaskColumnName,
        [.. options.Points], [.. options.PointLabels], [.. options.Boxes], options.PointsPerPrompt, options.RelativeCoordinates, options.Masks,
        options.MaskColumnName, options.MaskScoresColumnName, options.MaskRunLengthsColumnName, options.MaskAreasColumnName, options.MaskBoxesColumnName, options.MaskLogitsColumnName,
        options.ScoringBatchSize, options.Precision, options.SkipInvalidImages);
}
