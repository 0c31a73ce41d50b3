using System.Text.Json;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// Where a published model lies: a folder as Hugging Face publishes it, with <c>config.json</c>, weights and perhaps
/// <c>preprocessor_config.json</c> or <c>processor_config.json</c>; one as timm publishes it, with a <c>config.json</c> of its own; or a
/// bare weights file with whatever else lies beside it.
/// </summary>
internal sealed class ModelFolder
{
    private const string ConfigFile = "config.json", PreprocessorFile = "preprocessor_config.json", ProcessorFile = "processor_config.json";

    private ModelFolder(string path)
    {
        Path = path;
        IsFolder = Directory.Exists(path);
        Folder = IsFolder ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        if (!IsFolder)
        {
            if (File.Exists(path) && File.Exists(System.IO.Path.Combine(Folder, ConfigFile)))
                Notices.Say($"{path} is read as a bare weights file, and the {ConfigFile} beside it is not. Name the folder as the checkpoint to have it read.");
            return;
        }
        Config = ReadObject(ConfigFile);
        Timm = ReadConfig(TimmConfig.Of);
    }

    /// <summary>The folder, or the weights file.</summary>
    public string Path { get; }

    /// <summary>Whether <see cref="Path"/> is a folder.</summary>
    public bool IsFolder { get; }

    /// <summary>The folder, or the one in which the weights file lies.</summary>
    public string Folder { get; }

    /// <summary><c>config.json</c>; null for a file, and for a folder that has none.</summary>
    public JsonElement? Config { get; }

    /// <summary><see cref="Config"/> where it is timm's.</summary>
    public TimmConfig? Timm { get; }

    /// <exception cref="CheckpointException">A file is not a JSON object.</exception>
    public static ModelFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path);
    }

    /// <exception cref="FileNotFoundException">There are no weights.</exception>
    public Checkpoint OpenWeights(CheckpointWeights choice = CheckpointWeights.Trained) => Checkpoint.Open(Path, choice);

    /// <summary>What <c>config.json</c> says; the default where there is none.</summary>
    /// <exception cref="CheckpointException">An entry cannot be read, or the numbers make no network; the message names the file.</exception>
    public T? ReadConfig<T>(Func<JsonElement, T?> read) => Config is { } config ? Read(ConfigFile, config, read) : default;

    /// <summary>How images are prepared; null where the folder does not tell.</summary>
    /// <param name="modelType">The model type of the network, which tells what a file that names no image processor leaves open.</param>
    /// <exception cref="CheckpointException">An entry cannot be read; the message names the file.</exception>
    public ImagePreprocessing? ReadPreprocessing(string modelType)
    {
        if (Timm is { } timm)
            return ReadConfig(_ => timm.Preprocessing());
        if (!IsFolder)
            return null;
        // Of two files, Hugging Face's library takes that of its newer releases.
        if (ReadObject(ProcessorFile)?.Optional("image_processor") is { ValueKind: JsonValueKind.Object } nested)
        {
            if (File.Exists(System.IO.Path.Combine(Folder, PreprocessorFile)))
                Notices.Say($"{Path} has both {ProcessorFile} and {PreprocessorFile}: images are prepared as the former says. Preprocessing decides otherwise.");
            return Read(ProcessorFile, nested, Settings);
        }
        return ReadObject(PreprocessorFile) is { } file ? Read(PreprocessorFile, file, Settings) : null;

        ImagePreprocessing Settings(JsonElement file) => PreprocessorConfig.Read(file, modelType);
    }

    private T Read<T>(string file, JsonElement json, Func<JsonElement, T> read)
    {
        try
        {
            return read(json);
        }
        // The latter two where numbers make no network.
        catch (Exception e) when (e is CheckpointException or FormatException or ArgumentException or ArithmeticException)
        {
            throw new CheckpointException($"{System.IO.Path.Combine(Path, file)}: {e.Message}", e);
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
