using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Records as they stand in model files: what is derived from other properties is left out.</summary>
internal static class ModelJson
{
    private static readonly JsonSerializerOptions Options = new() { IgnoreReadOnlyProperties = true };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <exception cref="FormatException">The text does not hold such a record.</exception>
    public static T Read<T>(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text, Options) ?? throw new FormatException($"The model file is damaged: its {typeof(T).Name} is empty.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"The model file is damaged: its {typeof(T).Name} cannot be read: {e.Message}", e);
        }
    }
}
