using System.Text.Json.Serialization;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.SamEverything</c> can be told. The defaults are those of Segment Anything's own automatic mask generator.
/// </summary>
public sealed class SamEverythingOptions : SamOptions
{
    /// <summary>Points per side of the grid that is asked about; at least 1. Default 32: 1,024 points.</summary>
    [ScoringSetting]
    public int PointsPerSide { get; set; } = 32;

    /// <summary>Points that are asked about at once, on a CPU at most a few of them, as more are slower; at least 1. Default 64.</summary>
    [ScoringSetting]
    public int PointsPerBatch { get; set; } = 64;

    /// <summary>The least quality that the network expects of a mask, 0 to 1. Default 0.88.</summary>
    [ScoringSetting]
    public double PredictedIouThreshold { get; set; } = 0.88;

    /// <summary>The least stability of a mask, 0 to 1: how much of it stays when the threshold is raised, of what there is when it is lowered. Default 0.95.</summary>
    [ScoringSetting]
    public double StabilityThreshold { get; set; } = 0.95;

    /// <summary>By how much the threshold is raised and lowered for the stability. Default 1.</summary>
    [ScoringSetting]
    public double StabilityOffset { get; set; } = 1;

    /// <summary>Of two masks whose boxes overlap by more than this (intersection over union) the worse is dropped, 0 to 1. Default 0.7.</summary>
    [ScoringSetting]
    public double BoxNmsThreshold { get; set; } = 0.7;

    /// <summary>How many layers of crops are looked at beside the whole image: layer i has 2^i x 2^i. At least 0. Default 0.</summary>
    [ScoringSetting]
    public int CropLayers { get; set; }

    /// <summary>The same as <see cref="BoxNmsThreshold"/> between masks of different crops. Default 0.7.</summary>
    [ScoringSetting]
    public double CropNmsThreshold { get; set; } = 0.7;

    /// <summary>How much of the image's shorter side crops of the first layer share, 0 to 1. Default 512 / 1500.</summary>
    [ScoringSetting]
    public double CropOverlap { get; set; } = 512.0 / 1500;

    /// <summary>By how much each layer's grid has fewer points per side than the one before; at least 1. Default 1.</summary>
    [ScoringSetting]
    public int CropPointsDownscale { get; set; } = 1;

    /// <summary>Holes and islands of fewer pixels are removed; at least 0. Default 0 leaves them.</summary>
    [ScoringSetting]
    public int MinRegionArea { get; set; }

    /// <summary>How masks are written to <see cref="SegmentsColumnName"/>. Default <see cref="CocoSegmentation.Compressed"/>.</summary>
    [ScoringSetting]
    public CocoSegmentation SegmentForm { get; set; } = CocoSegmentation.Compressed;

    /// <summary>
    /// Says what each segment shows, from the image within its box: a fitted <c>ClipZeroShot</c> with words of your choice, or any other
    /// classifier of this package. It stays yours; a saved model holds a copy. Null, the default, leaves segments without words.
    /// </summary>
    [JsonIgnore]
    public ClassifierTransformer? Classifier { get; set; }

    /// <summary>The column for the segments as JSON text: a list of what the original generator tells of each. Null does not make it. Default "Segments".</summary>
    [ScoringSetting]
    public string? SegmentsColumnName { get; set; } = "Segments";

    /// <summary>The column for how many segments there are, a number (Single). Null does not make it. Default "SegmentCount".</summary>
    [ScoringSetting]
    public string? SegmentCountColumnName { get; set; } = "SegmentCount";

    /// <summary>The column for an image whose pixels are the numbers of their segments: red + 256 x green, from 1 on, and 0 for none; smaller segments lie on larger ones. Null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? LabelImageColumnName { get; set; }

    /// <summary>The column for the image with its segments drawn over it, each in a color of its own. Null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? OverlayColumnName { get; set; }

    internal override IEnumerable<string?> OutputNames => [SegmentsColumnName, SegmentCountColumnName, LabelImageColumnName, OverlayColumnName];

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) => ResultColumns.Promises(
        (SegmentsColumnName, TextDataViewType.Instance, false), (SegmentCountColumnName, NumberDataViewType.Single, false),
        (LabelImageColumnName, new ImageDataViewType(), false), (OverlayColumnName, new ImageDataViewType(), false));

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.Require(PointsPerSide, PointsPerSide >= 1, "at least 1");
        OptionChecks.Require(PointsPerBatch, PointsPerBatch >= 1, "at least 1");
        OptionChecks.Require(CropLayers, CropLayers is >= 0 and <= 6, "from 0 to 6");
        OptionChecks.Require(CropPointsDownscale, CropPointsDownscale >= 1, "at least 1");
        OptionChecks.Require(MinRegionArea, MinRegionArea >= 0, "at least 0");
        OptionChecks.Require(StabilityOffset, StabilityOffset >= 0, "at least 0");
        OptionChecks.Require(CropOverlap, CropOverlap is >= 0 and < 1, "at least 0 and below 1");
        OptionChecks.Require(PredictedIouThreshold, PredictedIouThreshold is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(StabilityThreshold, StabilityThreshold is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(BoxNmsThreshold, BoxNmsThreshold is >= 0 and <= 1, "from 0 to 1");
        OptionChecks.Require(CropNmsThreshold, CropNmsThreshold is >= 0 and <= 1, "from 0 to 1");
        _ = PointGrid.BuildLayers(PointsPerSide, CropLayers, CropPointsDownscale);
        OptionChecks.RequireDefined(SegmentForm, nameof(SegmentForm));
    }
}
