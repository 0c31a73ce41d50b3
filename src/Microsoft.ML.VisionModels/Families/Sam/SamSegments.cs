using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>The segments of an image, and the forms in which they are given out.</summary>
internal sealed record SamSegments(RgbImage Image, IReadOnlyList<SamSegment> Segments)
{
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A list of records with the keys of the original generator, and <c>label</c> and <c>label_score</c> where there are words.</summary>
    public string ToJson(CocoSegmentation form) => new JsonArray([.. Segments.Select(segment => Record(segment, form))]).ToJsonString(s_plain);

    public MLImage Overlay()
    {
        var overlay = new MaskOverlay(Image) { ContourWidth = Math.Max(1, Math.Max(Image.Width, Image.Height) / 600.0) };
        overlay.AddMasks(Segments.Select(segment => segment.Mask));
        return overlay.Draw();
    }

    public MLImage Labels() => ImageDecoder.ToMLImage(Image.Width, Image.Height, pixels =>
    {
        pixels.Fill(ImageDecoder.Opaque);
        LabelImage.Draw(pixels, Image.Height, Image.Width, [.. Segments.Select(segment => segment.Mask)], number => ImageDecoder.Opaque | (ushort)number);
    });

    private static JsonObject Record(SamSegment segment, CocoSegmentation form)
    {
        var record = new JsonObject
        {
            ["segmentation"] = form == CocoSegmentation.Polygons
                ? new JsonArray([.. segment.Mask.ToPolygons(tolerance: 1).Select(polygon => new JsonArray([.. MaskPolygon.Join([polygon]).SelectMany(point => new JsonNode?[] { point.X, point.Y })]))])
                : JsonNode.Parse(segment.Mask.ToCocoJson(form == CocoSegmentation.Compressed)),
            ["area"] = segment.Mask.Area,
            ["bbox"] = new JsonArray([.. segment.Mask.Box.ToXywh().Select(number => JsonValue.Create(number))]),
        };
        foreach (var (key, value) in segment.Describe())
            record[key] = value?.DeepClone();
        return record;
    }
}
