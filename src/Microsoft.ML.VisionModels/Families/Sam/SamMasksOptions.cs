using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.SamMasks</c> can be told. Prompts come from columns, or are the same for all images; points, boxes and a
/// rough mask together are one prompt, and several boxes, or points dealt out by <see cref="PointsPerPrompt"/>, are as many prompts.
/// </summary>
public sealed class SamMasksOptions : SamOptions
{
    /// <summary>A column of vectors (Single) x, y, x, y and so on; null, the default, takes <see cref="Points"/>.</summary>
    [ScoringSetting]
    public string? PointsColumnName { get; set; }

    /// <summary>A column of vectors (Single) with a number for each point: 1 belongs to what is meant, 0 does not. Null, the default, takes <see cref="PointLabels"/>.</summary>
    [ScoringSetting]
    public string? PointLabelsColumnName { get; set; }

    /// <summary>A column of vectors (Single) left, top, right, bottom, and so on for each box; null, the default, takes <see cref="Boxes"/>.</summary>
    [ScoringSetting]
    public string? BoxesColumnName { get; set; }

    /// <summary>A column of images that are rough masks: inside is what is brighter than half of the mask's brightest pixel, so that 1 and 255 mean the same. Of the image's size or another; null, the default, for none.</summary>
    [ScoringSetting]
    public string? RoughMaskColumnName { get; set; }

    /// <summary>Points for all images: x, y, x, y and so on.</summary>
    [ScoringSetting]
    public IReadOnlyList<float> Points { get; set; } = [];

    /// <summary>A number for each point: 1 belongs to what is meant, 0 does not. Empty, the default: all do.</summary>
    [ScoringSetting]
    public IReadOnlyList<float> PointLabels { get; set; } = [];

    /// <summary>Boxes for all images: left, top, right, bottom and so on.</summary>
    [ScoringSetting]
    public IReadOnlyList<float> Boxes { get; set; } = [];

    /// <summary>How many points make a prompt, in their order; null, the default: all together make one.</summary>
    [ScoringSetting]
    public int? PointsPerPrompt { get; set; }

    /// <summary>Whether points and boxes are given in fractions of the image's width and height, and not in pixels. Default false.</summary>
    [ScoringSetting]
    public bool RelativeCoordinates { get; set; }

    /// <summary>Which of SAM's masks for each prompt are wanted. Default <see cref="SamMaskChoice.Best"/>.</summary>
    [ScoringSetting]
    public SamMaskChoice Masks { get; set; } = SamMaskChoice.Best;

    /// <summary>The column for an image of the original size: white where the mask is, black elsewhere; of several masks each in a color of its own. Null does not make it. Default "Mask".</summary>
    [ScoringSetting]
    public string? MaskColumnName { get; set; } = "Mask";

    /// <summary>The column for the expected quality of each mask, prompt by prompt, about 0 to 1: a vector (Single). Null does not make it. Default "MaskScores".</summary>
    [ScoringSetting]
    public string? MaskScoresColumnName { get; set; } = "MaskScores";

    /// <summary>The column for each mask as COCO's run-length JSON text: a vector of texts. Null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? MaskRunLengthsColumnName { get; set; }

    /// <summary>The column for the number of pixels in each mask: a vector (Single). Null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? MaskAreasColumnName { get; set; }

    /// <summary>The column for the box around each mask: left, top, right, bottom in pixels, and so on, a vector (Single). Null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? MaskBoxesColumnName { get; set; }

    /// <summary>The column for the logits of each mask as the network gives them, 256 x 256 for the padded image: a vector (Single). Null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? MaskLogitsColumnName { get; set; }

    internal override IEnumerable<InputColumn> Inputs => [.. base.Inputs, .. SamPromptReader.Inputs(this)];

    internal override IEnumerable<string?> OutputNames => [MaskColumnName, MaskScoresColumnName, MaskRunLengthsColumnName, MaskAreasColumnName, MaskBoxesColumnName, MaskLogitsColumnName];

    internal override IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) => ResultColumns.Promises(
        (MaskColumnName, new ImageDataViewType(), false), (MaskScoresColumnName, NumberDataViewType.Single, true),
        (MaskRunLengthsColumnName, TextDataViewType.Instance, true), (MaskAreasColumnName, NumberDataViewType.Single, true),
        (MaskBoxesColumnName, NumberDataViewType.Single, true), (MaskLogitsColumnName, NumberDataViewType.Single, true));

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Masks, nameof(Masks));
        foreach (var (fixedValues, column, name) in new (int, string?, string)[]
        {
            (Points.Count, PointsColumnName, nameof(Points)), (PointLabels.Count, PointLabelsColumnName, nameof(PointLabels)), (Boxes.Count, BoxesColumnName, nameof(Boxes)),
        })
        {
            if (fixedValues > 0 && column is not null)
                throw new ArgumentException($"{name} and {name}ColumnName are both set; prompts come from one of them.");
        }
        if (PointsColumnName is null && BoxesColumnName is null && RoughMaskColumnName is null && Points.Count == 0 && Boxes.Count == 0)
            throw new ArgumentException($"There is no prompt: set {nameof(Points)}, {nameof(Boxes)} or the name of a column with points, boxes or rough masks. To find all that there is, use SamEverything.");
        OptionChecks.RequireAtLeast(PointsPerPrompt, 1);
    }
}
