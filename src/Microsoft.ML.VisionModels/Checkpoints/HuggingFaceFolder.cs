using System.Text.Json;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A model folder as Hugging Face publishes it: <c>config.json</c>, weights, and perhaps <c>preprocessor_config.json</c>.</summary>
internal sealed class HuggingFaceFolder
{
    private readonly JsonElement? _preprocessor;

    private HuggingFaceFolder(string path, JsonElement config, JsonElement? preprocessor)
    {
        Path = path;
        Config = config;
        _preprocessor = preprocessor;
    }

    public string Path { get; }

    public JsonElement Config { get; }

    /// <summary>How images are prepared; null where the folder does not say.</summary>
    /// <exception cref="CheckpointException">An entry cannot be read; the message names the folder.</exception>
    public ImagePreprocessing? Preprocessing => _preprocessor is { } file ? Read(file, ImagePreprocessing.FromHuggingFace) : null;

    /// <exception cref="FileNotFoundException">The folder has no config.json.</exception>
    /// <exception cref="CheckpointException">A file is not a JSON object.</exception>
    public static HuggingFaceFolder Open(string path)
    {
        var config = ReadObject(System.IO.Path.Combine(path, "config.json"))
            ?? throw new FileNotFoundException($"The folder {path} has no config.json.", System.IO.Path.Combine(path, "config.json"));
        return new HuggingFaceFolder(path, config, ReadObject(System.IO.Path.Combine(path, "preprocessor_config.json")));
    }

    /// <summary>What <see cref="Config"/> says.</summary>
    /// <exception cref="CheckpointException">An entry cannot be read; the message names the folder.</exception>
    public T Read<T>(Func<JsonElement, T> read) => Read(Config, read);

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

    private T Read<T>(JsonElement json, Func<JsonElement, T> read)
    {
        try
        {
            return read(json);
        }
        catch (Exception e) when (e is CheckpointException or FormatException)
        {
            throw new CheckpointException($"{Path}: {e.Message}", e);
        }
    }
}
