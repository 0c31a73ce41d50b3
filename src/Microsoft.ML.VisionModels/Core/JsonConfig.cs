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

    public static double Get(this JsonElement config, string name, double fallback) => config.Optional(name) switch
    {
        null => fallback,
        { } value when value.Number(name) is >= 0 and var number => number,
        { } value => throw Wrong(name, value, "a number that is not negative"),
    };

    /// <summary>The model type of a configuration: <c>model_type</c>, else what the name of its architecture begins with, else the first of the family's, which is said.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="types">The model types of the family.</param>
    /// <exception cref="CheckpointException">It is of another family.</exception>
    public static string ModelType(this JsonElement config, IReadOnlyList<string> types)
    {
        var known = string.Join(" or ", types.Select(type => $"'{type}'"));
        if (config.Optional("model_type") is not null)
        {
            var named = config.Get("model_type", "");
            return types.Contains(named) ? named : throw new CheckpointException($"The configuration has model_type '{named}'; networks of this family have {known}.");
        }
        // "swinv2" before "swin"; "vit_mae" is called ViTMAE there.
        if (types.OrderByDescending(type => type.Length).FirstOrDefault(type => config.Architecture().StartsWith(type.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase)) is { } told)
            return told;
        Notices.Say($"config.json names neither a model_type ({known}) nor an architecture: it is read as of '{types[0]}'. Give it the entry model_type if it is another's.");
        return types[0];
    }

    public static bool Get(this JsonElement config, string name, bool fallback) => config.Optional(name) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(name, value, "true or false"),
    };

    public static string Get(this JsonElement config, string name, string fallback) =>
        config.Optional(name) is { } value ? TextOf(value) ?? throw Wrong(name, value, "text") : fallback;

    /// <summary>A value as a whole number that is not negative, be it written with a point or an exponent.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">Its place in the configuration, for the message.</param>
    public static int Integer(this JsonElement value, string name) => IntegerOf(value) is { } number and >= 0 ? number : throw Wrong(name, value, "a whole number from 0 to 2147483647");

    /// <summary>A value as a number.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">Its place in the configuration, for the message.</param>
    public static double Number(this JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && double.IsFinite(number) ? number : throw Wrong(name, value, "a number");

    /// <summary>The object of an entry, such as <c>vision_config</c>; an empty object where there is none.</summary>
    public static JsonElement Part(this JsonElement config, string name) => config.Optional(name) switch
    {
        null => Empty,
        { ValueKind: JsonValueKind.Object } part => part,
        { } value => throw Wrong(name, value, "an object"),
    };

    /// <summary>The labels of <c>id2label</c> in the order of their ids; null where there are none.</summary>
    public static string[]? Labels(this JsonElement config) => config.Optional("id2label") is { } map ? Labels(map, "id2label") : null;

    /// <summary>The names of classes in the order of their ids, which are an object's keys. A name may be a number, and is then read as it is written.</summary>
    /// <param name="map">The object.</param>
    /// <param name="name">Its place in the configuration, for the message.</param>
    public static string[] Labels(JsonElement map, string name)
    {
        if (map.ValueKind != JsonValueKind.Object)
            throw Wrong(name, map, "an object");

        var labels = new string?[map.EnumerateObject().Count()];
        foreach (var entry in map.EnumerateObject())
        {
            var label = LabelOf(entry.Value);
            if (label is null || !int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= labels.Length || labels[id] is not null)
                throw new CheckpointException($"{name} of the configuration must give a name to each number from 0 to {labels.Length - 1}; '{entry.Name}' with {entry.Value.GetRawText()} does not fit.");
            labels[id] = label;
        }
        return labels!;
    }

    /// <summary>The name of a class, which may be a number; null for anything else.</summary>
    public static string? LabelOf(JsonElement value) =>
        value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False ? value.GetRawText() : TextOf(value);

    /// <summary>A size: one number for a square, or [height, width].</summary>
    public static ImageSize Size(this JsonElement config, string name, int fallback) =>
        config.Optional(name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 2
            ? new ImageSize(list[0].Integer(name), list[1].Integer(name))
            : config.Get(name, fallback);

    /// <summary>A list of whole numbers, negative ones too; null where there is none.</summary>
    public static int[]? Integers(this JsonElement config, string name)
    {
        if (config.Optional(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            throw Wrong(name, list, "a list of whole numbers");
        return [.. list.EnumerateArray().Select(value => IntegerOf(value) ?? throw Wrong(name, list, "a list of whole numbers"))];
    }

    /// <summary>A list of numbers; null where there is none.</summary>
    public static double[]? Numbers(this JsonElement config, string name)
    {
        if (config.Optional(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            throw Wrong(name, list, "a list of numbers");
        return [.. list.EnumerateArray().Select(value => value.Number(name))];
    }

    /// <summary>A list of texts; null where there is none.</summary>
    public static string[]? Texts(this JsonElement config, string name)
    {
        if (config.Optional(name) is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            throw Wrong(name, list, "a list of texts");
        return [.. list.EnumerateArray().Select(value => TextOf(value) ?? throw Wrong(name, list, "a list of texts"))];
    }

    /// <summary>The first entry of <c>architectures</c>; empty where there is none.</summary>
    public static string Architecture(this JsonElement config) =>
        config.Texts("architectures") is [var first, ..] ? first : "";

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

    private static int? IntegerOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && Math.Abs(number) <= int.MaxValue && Math.Truncate(number) == number ? (int)number : null;

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;    // half a character
        }
    }

    private static CheckpointException Wrong(string name, JsonElement value, string expected) =>
        new($"The configuration's '{name}' should be {expected}, but is {value.GetRawText()}.");
}
