using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels;

/// <summary>A segment of an image, for a data set.</summary>
/// <param name="Mask">The pixels.</param>
/// <param name="Category">What it is: a place in the data set's list of categories, from 0 on. Default 0.</param>
public sealed record MaskAnnotation(RunLengthMask Mask, int Category = 0)
{
    /// <summary>What else COCO's annotation is to say, under names of its own: "predicted_iou", "stability_score" and so on. YOLO's files have no place for it.</summary>
    public JsonObject? Properties { get; init; }
}
