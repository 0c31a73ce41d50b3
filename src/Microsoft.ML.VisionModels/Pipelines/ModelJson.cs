using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Marks an option that says how a fitted model scores: it stands in the model's file, where it must be present.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ScoringSettingAttribute : Attribute;

/// <summary>
/// Records as they stand in model files. Nothing becomes a default in silence: every property must be there, and no other. Of options
/// these are the scoring settings; of other records all that can be set, but not what is derived.
/// </summary>
internal static class ModelJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        Converters = { new JsonStringEnumConverter() },     // a name lasts longer than a number
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { KeepSettings, RequireAll } },
    };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, value!.GetType(), s_options);

    /// <exception cref="FormatException">The text does not hold such a record.</exception>
    public static T Read<T>(string text) => (T)Read(text, typeof(T));

    /// <exception cref="FormatException">The text does not hold such a record.</exception>
    public static object Read(string text, Type type)
    {
        try
        {
            return JsonSerializer.Deserialize(text, type, s_options) ?? throw new FormatException($"The model file is damaged: its {type.Name} is empty.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The model file is damaged: its {type.Name} cannot be read: {e.Message}", e);
        }
    }

    /// <exception cref="FormatException">The text is no JSON object.</exception>
    public static JsonObject ReadObject(string text, string name)
    {
        try
        {
            // A node tells only when it is looked at that a text in it is none.
            Utf8Text.ParseJson(Encoding.UTF8.GetBytes(text), name);
            return JsonNode.Parse(text, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject ?? throw new FormatException($"The model file is damaged: its {name} is no JSON object.");
        }
        catch (Exception e) when (e is JsonException or CheckpointException)
        {
            throw new FormatException($"The model file is damaged: its {name} cannot be read: {e.Message}", e);
        }
    }

    private static void KeepSettings(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || !type.Type.IsAssignableTo(typeof(ScoringOptions)))
            return;
        for (var i = type.Properties.Count - 1; i >= 0; i--)
        {
            if (type.Properties[i].AttributeProvider?.IsDefined(typeof(ScoringSettingAttribute), inherit: true) != true)
                type.Properties.RemoveAt(i);
        }
    }

    private static void RequireAll(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var property in type.Properties.Where(property => property.Set is not null))
            property.IsRequired = true;
    }
}
