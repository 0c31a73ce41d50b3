using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels;

/// <summary>A segment that <c>SamEverything</c> found.</summary>
/// <param name="Mask">The pixels, in the image's size.</param>
/// <param name="PredictedIou">How good the network expects the mask to be, about 0 to 1.</param>
/// <param name="Stability">How little the mask depends on the threshold, 0 to 1.</param>
/// <param name="Point">The point that the segment was found with.</param>
/// <param name="Crop">The part of the image in which it was found: x, y, width and height.</param>
public sealed record SamSegment(RunLengthMask Mask, float PredictedIou, float Stability, SamPoint Point, IReadOnlyList<int> Crop)
{
    /// <summary>What the segment shows, where there is somebody to tell: the classifier's likeliest class.</summary>
    public string? Label { get; init; }

    /// <summary>The classifier's score of <see cref="Label"/>; not a number without one.</summary>
    public float LabelScore { get; init; } = float.NaN;

    /// <summary>The segment for a data set, with what the original generator tells of it in <see cref="MaskAnnotation.Properties"/>.</summary>
    /// <param name="category">The place of what it shows in the data set's list of categories.</param>
    public MaskAnnotation ToAnnotation(int category = 0) => new(Mask, category) { Properties = Describe() };

    /// <summary>The keys of the original generator, but for those that COCO has too; and <c>label</c> and <c>label_score</c> where there are words.</summary>
    internal JsonObject Describe()
    {
        var record = new JsonObject
        {
            ["predicted_iou"] = PredictedIou,
            ["point_coords"] = new JsonArray(new JsonArray(Point.X, Point.Y)),
            ["stability_score"] = float.IsFinite(Stability) ? Stability : null,
            ["crop_box"] = new JsonArray([.. Crop.Select(number => JsonValue.Create(number))]),
        };
        if (Label is { } label)
            (record["label"], record["label_score"]) = (label, float.IsFinite(LabelScore) ? LabelScore : null);
        return record;
    }
}
