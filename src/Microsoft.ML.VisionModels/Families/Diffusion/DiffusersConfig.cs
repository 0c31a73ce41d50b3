using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What the <c>config.json</c> files of Hugging Face's diffusers have in common.</summary>
internal static class DiffusersConfig
{
    /// <summary>Throws where an entry has a value that names a part which is not built. An entry that is missing or null never does.</summary>
    /// <param name="config">The file.</param>
    /// <param name="built">The entries, and which of their values are built.</param>
    /// <exception cref="CheckpointException">The message names the entry.</exception>
    public static void RequireBuilt(JsonElement config, IEnumerable<(string Key, string[] Values)> built)
    {
        foreach (var (key, values) in built)
        {
            if (config.Optional(key) is { } value && !values.Contains(value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()))
                throw new CheckpointException($"The configuration's '{key}' is {value.GetRawText()}, which is not built; it may be {string.Join(", ", values.Append("null"))}.");
        }
    }

    /// <summary>A number for each stage: a list of them, or one for all.</summary>
    public static int[] ForEach(this JsonElement config, string name, int stages, int fallback) => config.Optional(name) is { ValueKind: JsonValueKind.Array }
        ? config.Integers(name)!
        : [.. Enumerable.Repeat(config.Get(name, fallback), stages)];

    public static JsonArray List(int[] numbers) => new([.. numbers.Select(number => JsonValue.Create(number))]);
}
