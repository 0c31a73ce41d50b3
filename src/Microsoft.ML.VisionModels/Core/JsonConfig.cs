using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>
/// Typed reading of Hugging Face's JSON files, in which a missing or null entry stands for the library's default, and writing of what
/// these files have in common. An entry of another type is a <see cref="CheckpointException"/>.
/// </summary>
internal static class JsonConfig
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A configuration without entries.</summary>
    public static JsonElement Empty { get; } = JsonDocument.Parse("{}").RootElement;

    /// <summary>The value of an entry; null where it is missing or null.</summary>
    public static JsonElement? Optional(this JsonElement config, string name) =>
        config.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static int Get(this JsonElement config, string name, int fallback) => config.Optional(name)?.Integer(name) ?? fallback;

    public static double Get(this JsonElement config, string name, double fallback) => config.Optional(name)?.Number(name) ?? fallback;

    public static bool Get(this JsonElement config, string name, bool fallback) => config.Optional(name) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(name, value, "true or false"),
    };

    public static string Get(this JsonElement config, string name, string fallback) =>
        config.Optional(name) is { } value ? value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, value, "text") : fallback;

    /// <summary>A value as a whole number.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">Its place in the configuration, for the message.</param>
    public static int Integer(this JsonElement value, string name) => TryGetInteger(value, out var number) ? number : throw Wrong(name, value, "a whole number");

    /// <summary>A value as a number.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">Its place in the configuration, for the message.</param>
    public static double Number(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(name, value, "a number");

    /// <summary>The object of an entry, such as <c>vision_config</c>; an empty object where there is none.</summary>
    public static JsonElement Part(this JsonElement config, string name) =>
        config.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Object ? part : Empty;

    /// <summary>The labels of <c>id2label</c> in the order of their ids; null where there are none.</summary>
    public static string[]? Labels(this JsonElement config)
    {
        if (config.Optional("id2label") is not { } map)
            return null;
        if (map.ValueKind != JsonValueKind.Object)
            throw Wrong("id2label", map, "an object");

        var labels = new string?[map.EnumerateObject().Count()];
        foreach (var entry in map.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String
                || !int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= labels.Length || labels[id] is not null)
                throw new CheckpointException($"id2label of the configuration must give a text to each number from 0 to {labels.Length - 1}; '{entry.Name}' does not fit.");
            labels[id] = entry.Value.GetString();
        }
        return labels!;
    }

    /// <summary>A size: one number for a square, or [height, width].</summary>
    public static ImageSize Size(this JsonElement config, string name, int fallback) =>
        config.TryGetProperty(name, out var value) && value is { ValueKind: JsonValueKind.Array } && value.GetArrayLength() == 2
            && value[0].TryGetInt32(out var height) && value[1].TryGetInt32(out var width)
                ? new ImageSize(height, width)
                : config.Get(name, fallback);

    /// <summary>A list of whole numbers; null where there is none.</summary>
    public static int[]? Integers(this JsonElement config, string name)
    {
        if (config.Optional(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            throw Wrong(name, list, "a list of whole numbers");
        return [.. list.EnumerateArray().Select(value => TryGetInteger(value, out var number) ? number : throw Wrong(name, list, "a list of whole numbers"))];
    }

    /// <summary>A list of texts; null where there is none.</summary>
    public static string[]? Texts(this JsonElement config, string name)
    {
        if (config.Optional(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            throw Wrong(name, list, "a list of texts");
        return [.. list.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, list, "a list of texts"))];
    }

    /// <summary>The first entry of <c>architectures</c>; empty where there is none.</summary>
    public static string Architecture(this JsonElement config) =>
        config.TryGetProperty("architectures", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? list[0].GetString() ?? ""
            : "";

    /// <summary>A size: one number for a square, else [height, width].</summary>
    public static JsonNode ToJson(this ImageSize size) => size.Height == size.Width ? size.Height : new JsonArray(size.Height, size.Width);

    /// <summary>Adds <c>id2label</c> and <c>label2id</c>.</summary>
    public static void AddLabels(this JsonObject config, IReadOnlyList<string> labels)
    {
        config["id2label"] = new JsonObject(labels.Select((label, id) => KeyValuePair.Create($"{id}", (JsonNode?)label)));
        config["label2id"] = new JsonObject(labels.Select((label, id) => (label, id)).DistinctBy(x => x.label).Select(x => KeyValuePair.Create(x.label, (JsonNode?)x.id)));
    }

    /// <summary>The configuration as the indented text of a file.</summary>
    public static string ToIndentedText(this JsonObject config) => config.ToJsonString(s_indented);

    private static bool TryGetInteger(JsonElement value, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number);
    }

    private static CheckpointException Wrong(string name, JsonElement value, string expected) =>
        new($"The configuration's '{name}' should be {expected}, but is {value.GetRawText()}.");
}
