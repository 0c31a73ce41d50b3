using System.Text.Json;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// Where a published model lies: a folder as Hugging Face publishes it, with <c>config.json</c>, weights and perhaps
/// <c>preprocessor_config.json</c>, or a bare weights file with whatever else lies beside it.
/// </summary>
internal sealed class ModelFolder
{
    private readonly JsonElement? _preprocessor;

    private ModelFolder(string path)
    {
        Path = path;
        IsFolder = Directory.Exists(path);
        Folder = IsFolder ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        if (IsFolder)
            (Config, _preprocessor) = (ReadObject("config.json"), ReadObject("preprocessor_config.json"));
    }

    /// <summary>The folder, or the weights file.</summary>
    public string Path { get; }

    /// <summary>Whether <see cref="Path"/> is a folder.</summary>
    public bool IsFolder { get; }

    /// <summary>The folder, or the one in which the weights file lies.</summary>
    public string Folder { get; }

    /// <summary><c>config.json</c>; null for a file, and for a folder that has none.</summary>
    public JsonElement? Config { get; }

    /// <summary>The preprocessing of images; null where the folder has no <c>preprocessor_config.json</c>.</summary>
    /// <exception cref="CheckpointException">An entry cannot be read; the message names the folder.</exception>
    public ImagePreprocessing? Preprocessing => _preprocessor is { } file ? Read(file, ImagePreprocessing.FromHuggingFace) : null;

    /// <exception cref="CheckpointException">A file is not a JSON object.</exception>
    public static ModelFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path);
    }

    /// <exception cref="FileNotFoundException">There are no weights.</exception>
    public Checkpoint OpenWeights(CheckpointWeights choice = CheckpointWeights.Trained) => Checkpoint.Open(Path, choice);

    /// <summary>What a configuration says.</summary>
    /// <exception cref="CheckpointException">An entry cannot be read; the message names the folder.</exception>
    public T Read<T>(JsonElement json, Func<JsonElement, T> read)
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

    /// <summary>A file that holds a JSON object; null where there is none.</summary>
    /// <param name="name">Its name in the folder.</param>
    /// <exception cref="CheckpointException">The file is something else.</exception>
    public JsonElement? ReadObject(string name) => ReadFile(System.IO.Path.Combine(Folder, name));

    /// <inheritdoc cref="ReadObject"/>
    /// <param name="path">The file.</param>
    public static JsonElement? ReadFile(string path)
    {
        if (!System.IO.Path.Exists(path))
            return null;
        var root = InputFile.ReadJson(path);
        return root.ValueKind == JsonValueKind.Object ? root : throw new CheckpointException($"{path} is not a JSON object.");
    }
}
