using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels;

namespace SegmentAnythingSample;

/// <summary>The segment that points and a box mean.</summary>
internal static class Prompted
{
    public static MaskAnnotation Segment(Settings settings)
    {
        using var session = new SamSession(settings.Checkpoint, settings.Device);
        var image = session.SetImage(settings.Image);
        var prompt = new SamPrompt { Points = settings.Points, Box = settings.Box };
        // One point may mean a part or the whole: SAM answers with three masks, and tells how good it takes each to be. More is clear.
        var isClear = settings.Box is not null || settings.Points.Count > 1;
        var mask = session.Predict(image, prompt, isClear ? SamMaskChoice.Single : SamMaskChoice.Best)[0];
        return new(mask.Mask) { Properties = new JsonObject { ["score"] = mask.Score } };
    }
}
