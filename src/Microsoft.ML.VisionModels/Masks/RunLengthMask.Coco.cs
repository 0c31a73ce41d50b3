using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <content>Reading and writing of both forms that masks have in COCO's files: compressed counts, and lists of counts.</content>
public sealed partial class RunLengthMask
{
    /// <summary>
    /// How COCO's files are written: on one line, and without the escapes that are only needed within HTML, as compressed counts consist
    /// of such characters for the most part.
    /// </summary>
    internal static readonly JsonWriterOptions CocoJsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The counts in the compressed form of pycocotools, which its <c>decode</c> reads.</summary>
    public string ToCocoString() => Encoding.ASCII.GetString(_code);

    /// <summary>Reads counts in the compressed form of pycocotools.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="counts">The "counts" of pycocotools' <c>encode</c>.</param>
    /// <exception cref="ArgumentException">The size is not positive.</exception>
    /// <exception cref="FormatException">The text is damaged, or its runs do not have height x width pixels.</exception>
    public static RunLengthMask FromCocoString(int height, int width, string counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        PixelsOf(height, width);
        List<int> runs = [];
        try
        {
            var reader = new RunReader([.. counts.Select(c => char.IsAscii(c) ? (byte)c : (byte)0)]);
            while (reader.TryRead(out var count))
                runs.Add(count);
            return FromCounts(height, width, [.. runs]);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new FormatException($"The text of {counts.Length} characters is no run-length form of {height} x {width} pixels: {e.Message}", e);
        }
    }

    /// <summary>The mask as the "segmentation" of a COCO annotation: {"size":[height,width],"counts":...}.</summary>
    /// <param name="compressed">Whether the counts are compressed text (the default) or a list of numbers.</param>
    public string ToCocoJson(bool compressed = true)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, CocoJsonOptions))
            WriteTo(writer, compressed);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads the "segmentation" of a COCO annotation with counts, compressed or not.</summary>
    /// <exception cref="FormatException">The text is not JSON, or not such a segmentation.</exception>
    public static RunLengthMask FromCocoJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json);
            return FromCocoJson(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new FormatException($"The segmentation is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Reads the "segmentation" of a COCO annotation with counts, compressed or not.</summary>
    /// <exception cref="FormatException">It is not such a segmentation.</exception>
    public static RunLengthMask FromCocoJson(JsonElement segmentation)
    {
        if (segmentation.ValueKind != JsonValueKind.Object
            || !segmentation.TryGetProperty("size", out var size) || !segmentation.TryGetProperty("counts", out var counts))
        {
            throw new FormatException("A segmentation with runs is an object with \"size\" and \"counts\"; a list is one of polygons.");
        }
        if (size.ValueKind != JsonValueKind.Array || size.GetArrayLength() != 2 || !TryGet(size[0], out var height) || !TryGet(size[1], out var width))
            throw new FormatException($"The \"size\" of a segmentation is [height, width], not {size.GetRawText()}.");
        try
        {
            return counts.ValueKind switch
            {
                JsonValueKind.String => FromCocoString(height, width, counts.GetString()!),
                JsonValueKind.Array => FromCounts(height, width, [.. counts.EnumerateArray().Select(CountOf)]),
                _ => throw new FormatException($"The \"counts\" of a segmentation are a text or a list of numbers, not {counts.GetRawText()}."),
            };
        }
        // The latter where the text has half a character.
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"The segmentation is wrong: {e.Message}", e);
        }
    }

    /// <summary>Writes the mask as the "segmentation" of a COCO annotation.</summary>
    internal void WriteTo(Utf8JsonWriter writer, bool compressed)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("size");
        writer.WriteNumberValue(Height);
        writer.WriteNumberValue(Width);
        writer.WriteEndArray();
        if (compressed)
        {
            writer.WriteString("counts", _code);
        }
        else
        {
            writer.WriteStartArray("counts");
            var reader = new RunReader(_code);
            while (reader.TryRead(out var count))
                writer.WriteNumberValue(count);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    private static int CountOf(JsonElement count) =>
        TryGet(count, out var number) ? number : throw new FormatException($"The \"counts\" of a segmentation are whole numbers, not {count.GetRawText()}.");

    private static bool TryGet(JsonElement value, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number);
    }
}
