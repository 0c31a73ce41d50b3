using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.SamEverything</c> can be told. The defaults are those of Segment Anything's own automatic mask generator.
/// </summary>
public sealed class SamEverythingOptions : SamOptions
{
    /// <summary>Points per side of the grid that is asked about; at least 1. Default 32: 1,024 points.</summary>
    public int PointsPerSide { get; set; } = 32;

    /// <summary>Points that are asked about at once, on a CPU at most a few of them, as more are slower; at least 1. Default 64.</summary>
    public int PointsPerBatch { get; set; } = 64;

    /// <summary>The least quality that the network expects of a mask, 0 to 1. Default 0.88.</summary>
    public double PredictedIouThreshold { get; set; } = 0.88;

    /// <summary>The least stability of a mask, 0 to 1: how much of it stays when the threshold is raised, of what there is when it is lowered. Default 0.95.</summary>
    public double StabilityThreshold { get; set; } = 0.95;

    /// <summary>By how much the threshold is raised and lowered for the stability. Default 1.</summary>
    public double StabilityOffset { get; set; } = 1;

    /// <summary>Of two masks whose boxes overlap by more than this (intersection over union) the worse is dropped, 0 to 1. Default 0.7.</summary>
    public double BoxNmsThreshold { get; set; } = 0.7;

    /// <summary>How many layers of crops are looked at beside the whole image: layer i has 2^i x 2^i. At least 0. Default 0.</summary>
    public int CropLayers { get; set; }

    /// <summary>The same as <see cref="BoxNmsThreshold"/> between masks of different crops. Default 0.7.</summary>
    public double CropNmsThreshold { get; set; } = 0.7;

    /// <summary>How much of the image's shorter side crops of the first layer share, 0 to 1. Default 512 / 1500.</summary>
    public double CropOverlap { get; set; } = 512.0 / 1500;

    /// <summary>By how much each layer's grid has fewer points per side than the one before; at least 1. Default 1.</summary>
    public int CropPointsDownscale { get; set; } = 1;

    /// <summary>Holes and islands of fewer pixels are removed; at least 0. Default 0 leaves them.</summary>
    public int MinRegionArea { get; set; }

    /// <summary>How masks are written to <see cref="SegmentsColumnName"/>. Default <see cref="CocoSegmentation.Compressed"/>.</summary>
    public CocoSegmentation SegmentForm { get; set; } = CocoSegmentation.Compressed;

    /// <summary>
    /// Says what each segment shows, from the image within its box: a fitted <c>ClipZeroShot</c> with words of your choice, or any other
    /// classifier of this package. It stays yours; a saved model holds a copy. Null, the default, leaves segments without words.
    /// </summary>
    public ClassifierTransformer? Classifier { get; set; }

    /// <summary>The column for the segments as JSON text: a list of what the original generator tells of each. Null does not make it. Default "Segments".</summary>
    public string? SegmentsColumnName { get; set; } = "Segments";

    /// <summary>The column for how many segments there are, a number (Single). Null does not make it. Default "SegmentCount".</summary>
    public string? SegmentCountColumnName { get; set; } = "SegmentCount";

    /// <summary>The column for an image whose pixels are the numbers of their segments: red + 256 x green, from 1 on, and 0 for none; smaller segments lie on larger ones. Null, the default, does not make it.</summary>
    public string? LabelImageColumnName { get; set; }

    /// <summary>The column for the image with its segments drawn over it, each in a color of its own. Null, the default, does not make it.</summary>
    public string? OverlayColumnName { get; set; }

    internal IReadOnlyList<string?> Outputs => [SegmentsColumnName, SegmentCountColumnName, LabelImageColumnName, OverlayColumnName];

    internal override void Validate()
    {
        base.Validate();
        Settings.Validate();
        OptionChecks.RequireDefined(SegmentForm, nameof(SegmentForm));
        foreach (var name in Outputs.Where(name => name is not null))
            OptionChecks.RequireName(name, "A column's name");
        OptionChecks.RequireDistinct(Outputs);
        if (Outputs.All(name => name is null))
            throw new ArgumentException($"No output column has a name; {nameof(SegmentsColumnName)} is the usual one.");
    }

    internal SamGeneratorSettings Settings => new()
    {
        PointsPerSide = PointsPerSide, PointsPerBatch = PointsPerBatch, PredictedIouThreshold = PredictedIouThreshold,
        StabilityThreshold = StabilityThreshold, StabilityOffset = (float)StabilityOffset, BoxNmsThreshold = BoxNmsThreshold,
        CropLayers = CropLayers, CropNmsThreshold = CropNmsThreshold, CropOverlap = CropOverlap, CropPointsDownscale = CropPointsDownscale, MinRegionArea = MinRegionArea,
    };

    internal SamEverythingOptions Copy() => (SamEverythingOptions)MemberwiseClone();
}
