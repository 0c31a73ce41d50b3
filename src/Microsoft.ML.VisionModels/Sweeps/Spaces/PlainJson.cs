using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>Spaces and hyper-parameters as JSON: values are numbers, texts and Booleans, and come back as int, double, string and bool.</summary>
internal static class PlainJson
{
    private static readonly JsonSerializerOptions s_options = new() { Converters = { new PlainValues() } };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, s_options);

    public static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, s_options)!;

    private sealed class PlainValues : JsonConverter<object>
    {
        public override object Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.True or JsonTokenType.False => reader.GetBoolean(),
            JsonTokenType.String => reader.GetString()!,
            _ => reader.TryGetInt32(out var whole) ? whole : (object)reader.GetDouble(),
        };

        public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value, value.GetType());
    }
}
