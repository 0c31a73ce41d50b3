using System.Text.Json;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A model folder as Hugging Face publishes it: <c>config.json</c>, weights, and perhaps <c>preprocessor_config.json</c>.</summary>
internal sealed class HuggingFaceFolder
{
    private HuggingFaceFolder(string path, JsonElement config, JsonElement? preprocessor)
    {
        Path = path;
        Config = config;
        Preprocessor = preprocessor;
    }

    public string Path { get; }

    public JsonElement Config { get; }

    public JsonElement? Preprocessor { get; }

    /// <exception cref="FileNotFoundException">The folder has no config.json.</exception>
    /// <exception cref="CheckpointException">A file is not a JSON object.</exception>
    public static HuggingFaceFolder Open(string path)
    {
        var config = ReadObject(System.IO.Path.Combine(path, "config.json"))
            ?? throw new FileNotFoundException($"The folder {path} has no config.json.", System.IO.Path.Combine(path, "config.json"));
        return new HuggingFaceFolder(path, config, ReadObject(System.IO.Path.Combine(path, "preprocessor_config.json")));
    }

    public Checkpoint OpenWeights() => Checkpoint.Open(Path);

    /// <summary>A file that holds a JSON object; null where there is none.</summary>
    /// <exception cref="CheckpointException">The file is something else.</exception>
    public static JsonElement? ReadObject(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new CheckpointException($"{path} is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path} is not valid JSON: {e.Message}", e);
        }
    }
}
