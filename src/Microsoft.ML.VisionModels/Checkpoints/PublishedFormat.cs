using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// How the networks of a family are published: opening a folder or a file, reading its configuration, finding out whose names its
/// tensors bear, heads, preprocessing, labels, and writing all that again. A family fills in what is its own.
/// </summary>
/// <typeparam name="TConfig">The hyper-parameters.</typeparam>
/// <typeparam name="TNetwork">The network.</typeparam>
internal abstract class PublishedFormat<TConfig, TNetwork>
    where TConfig : class
    where TNetwork : nn.Module, INetwork<TConfig, TNetwork>
{
    /// <summary>Patterns of the head's tensors: they may be missing or of another size where a new head is wanted, or none.</summary>
    public virtual IReadOnlyList<string> Heads => [];

    /// <summary>
    /// A tensor that every network of the family has, by each of its published names, with the prefixes of <see cref="Dialect.Prefixes"/>:
    /// what stands before it in a file is a wrapper's, such as a parallel training's.
    /// </summary>
    protected abstract IReadOnlyList<string> Landmarks { get; }

    /// <summary>The names that a file may bear, the published ones first: those are written.</summary>
    public abstract IReadOnlyList<Dialect> Dialects(TConfig config);

    /// <summary>The model types of Hugging Face's that are of this family; the first is that of files which name none.</summary>
    public abstract IReadOnlyList<string> ModelTypes { get; }

    /// <summary>Whether a folder without a <c>config.json</c> is none of this family.</summary>
    protected virtual bool FolderNeedsConfig => true;

    /// <summary>The hyper-parameters that <c>config.json</c> tells.</summary>
    /// <param name="config">The root of the file.</param>
    /// <param name="tensors">The tensors in the checkpoint, which tell what the file leaves open.</param>
    /// <exception cref="CheckpointException">Another model type, or a value of the wrong kind; the message names the key.</exception>
    protected abstract TConfig ReadConfig(JsonElement config, IReadOnlyDictionary<string, TensorInfo> tensors);

    /// <summary>The hyper-parameters that timm's <c>config.json</c> tells.</summary>
    /// <param name="config">The file.</param>
    /// <param name="weights">The checkpoint, which tells what the file leaves open.</param>
    /// <exception cref="CheckpointException">Another architecture, or a value of the wrong kind.</exception>
    protected virtual TConfig ReadTimm(TimmConfig config, Checkpoint weights) => throw config.Unknown("no networks of timm in this family");

    /// <summary>The hyper-parameters of weights without a <c>config.json</c>.</summary>
    /// <exception cref="CheckpointException">They are of another network.</exception>
    protected abstract TConfig ReadTensors(Checkpoint weights, ModelFolder folder);

    /// <summary>How images become the network's input where no preprocessor_config.json says; null where there is no such rule.</summary>
    protected virtual ImagePreprocessing? DefaultPreprocessing(TConfig config, ModelFolder folder) => null;

    /// <summary>The number of classes of a published head; null where there is none.</summary>
    protected virtual int? ClassesOf(TConfig config) => null;

    /// <summary>The <c>config.json</c> of a network.</summary>
    /// <exception cref="InvalidOperationException">The publisher's library has no such network.</exception>
    protected virtual JsonObject WriteConfig(TNetwork network, IReadOnlyList<string>? labels) => throw new InvalidOperationException("Such networks have no published form.");

    /// <summary>What the publisher's files hold and the network does not, by their names.</summary>
    protected virtual IEnumerable<(string Name, Tensor Value)> MoreTensors(TConfig config) => [];

    /// <summary>The file as the dialects know it.</summary>
    public virtual Checkpoint Prepare(Checkpoint weights) => weights;

    /// <summary>A network of these hyper-parameters with random weights.</summary>
    public PublishedModel<TConfig, TNetwork> Random(TConfig config) => new(this, null, config, null, default);

    /// <param name="path">A folder or a file.</param>
    /// <param name="choice">Which weights, where a training kept two sets of them.</param>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or it has no weights.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or of another family.</exception>
    public PublishedModel<TConfig, TNetwork> Open(string path, CheckpointWeights choice = CheckpointWeights.Trained)
    {
        var folder = ModelFolder.Open(path);
        if (folder is { IsFolder: true, Config: null } && FolderNeedsConfig)
            throw new FileNotFoundException($"The folder {path} has no config.json.", Path.Combine(path, "config.json"));
        using var weights = OpenWeights(folder, choice);
        var config = ReadConfig(folder, weights);
        var labels = folder.Config is not null && ClassesOf(config) is { } classes
            ? PublishedClasses.Names(folder.ReadConfig(json => folder.Timm is { } timm ? timm.Labels() : json.Labels()), classes, path)
            : null;
        return new(this, folder, config, labels, choice);
    }

    /// <summary>How the publisher prepares images; null where nothing tells.</summary>
    /// <exception cref="CheckpointException">A file cannot be read, or asks for a step that is not supported.</exception>
    public ImagePreprocessing? Preprocessing(TConfig config, ModelFolder folder)
    {
        var type = folder is { Config: not null, Timm: null } ? folder.ReadConfig(json => json.ModelType(ModelTypes))! : ModelTypes[0];
        if (folder.ReadPreprocessing(type) is { } told)
            return told;
        var usual = DefaultPreprocessing(config, folder);
        Sound(folder.Path, () => usual?.Validate());
        if (usual is not null && folder.Config is not null)
            Notices.Say($"{folder.Path} has no preprocessor_config.json: images are prepared as is usual for model_type '{type}'. Preprocessing decides otherwise.");
        return usual;
    }

    /// <summary>The network's tensors in the family's names.</summary>
    public Checkpoint OpenWeights(ModelFolder folder, CheckpointWeights choice)
    {
        var file = folder.OpenWeights(choice);
        try
        {
            return UnwrappedCheckpoint.Of(file, Landmarks, choice);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A network that the weights can fill.</summary>
    /// <param name="config">The hyper-parameters, which a file may have told.</param>
    /// <param name="weights">The file.</param>
    /// <param name="generator">The source of dropout.</param>
    /// <param name="newHead">Whether the head need not be in the file.</param>
    /// <param name="precision">The numbers that the weights become: of 16 bits they take half the memory already while they are read.</param>
    /// <exception cref="CheckpointException">The numbers make no network, or one that is many times as large as the file.</exception>
    public TNetwork Create(TConfig config, Checkpoint weights, Generator? generator, bool newHead, Precision precision = Precision.Float32)
    {
        // A network has at most two heads, and they read no more numbers than the file's widest tensor has.
        var widest = weights.Tensors.Values.SelectMany(tensor => tensor.Shape).DefaultIfEmpty().Max();
        using var _ = new WeightAllowance(weights, newHead ? 2 * (widest + 1) * (ClassesOf(config) ?? 0) : 0);
        var network = Sound(weights.Path, () => TNetwork.Create(config, generator));
        if (precision == Precision.BFloat16)
            network.to(ScalarType.BFloat16);
        return network;
    }

    private TConfig ReadConfig(ModelFolder folder, Checkpoint weights) => Sound(folder.Path, () =>
    {
        var config = folder.ReadConfig(json => folder.Timm is { } timm ? ReadTimm(timm, weights) : ReadConfig(json, weights.Tensors)) ?? ReadTensors(weights, folder);
        HyperParameters.Check(config);
        return config;
    });

    private static void Sound(string path, Action check) => Sound<object?>(path, () =>
    {
        check();
        return null;
    });

    private static T Sound<T>(string path, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is ArgumentException or ArithmeticException or ExternalException)
        {
            throw new CheckpointException($"{path}: the numbers of its configuration make no network: {e.Message}", e);
        }
    }

    /// <summary>Writes a folder as Hugging Face publishes it: config.json, model.safetensors, preprocessor_config.json.</summary>
    /// <param name="network">The network.</param>
    /// <param name="labels">The names of the head's classes; null without a head.</param>
    /// <param name="preprocessing">How images become its input.</param>
    /// <param name="folder">Made where it does not exist.</param>
    public void Save(TNetwork network, IReadOnlyList<string>? labels, ImagePreprocessing preprocessing, string folder)
    {
        using var scope = NewDisposeScope();
        var config = WriteConfig(network, labels).ToIndentedText();
        Directory.CreateDirectory(folder);
        CheckpointLoader.Save(network, Dialects(network.Config)[0], Path.Combine(folder, "model.safetensors"), MoreTensors(network.Config));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), config);
        AtomicFile.WriteText(Path.Combine(folder, "preprocessor_config.json"), preprocessing.ToHuggingFace());
    }

    /// <summary>The error of a bare weights file that is no network of the preset that was named.</summary>
    /// <param name="weights">The file.</param>
    /// <param name="preset">What was named.</param>
    /// <param name="width">The width of the file's network.</param>
    /// <param name="widthOf">The widths of the presets.</param>
    protected static CheckpointException WrongPreset<TPreset>(Checkpoint weights, TPreset preset, long width, Func<TPreset, int> widthOf)
        where TPreset : struct, Enum
    {
        var fitting = Enum.GetValues<TPreset>().Where(other => widthOf(other) == width).ToArray();
        return new CheckpointException(
            $"{weights.Path} does not fit the preset {preset}: its width is {width}, the preset's {widthOf(preset)}. " +
            (fitting.Length == 0 ? "No preset has that width." : $"Set Preset to what it was trained as; that width have {string.Join(", ", fitting)}."));
    }
}

/// <summary>Published weights that were opened, or a network that has none yet: what it is, and how to build it.</summary>
/// <param name="format">How the family's networks are published.</param>
/// <param name="folder">Where the weights are; null for random ones.</param>
/// <param name="config">The hyper-parameters.</param>
/// <param name="labels">The names of the head's classes; null where there is no head, or they have no names.</param>
/// <param name="choice">Which weights, where a training kept two sets of them.</param>
internal sealed class PublishedModel<TConfig, TNetwork>(
    PublishedFormat<TConfig, TNetwork> format, ModelFolder? folder, TConfig config, IReadOnlyList<string>? labels, CheckpointWeights choice)
    where TConfig : class
    where TNetwork : nn.Module, INetwork<TConfig, TNetwork>
{
    /// <summary>Where the weights are; null for random ones.</summary>
    public ModelFolder? Folder => folder;

    public TConfig Config => config;

    public IReadOnlyList<string>? Labels => labels;

    /// <summary>How images become the network's input: as the user chose, else as the publisher does, else as is usual, which is said.</summary>
    /// <param name="chosen">The preprocessing in the user's options; null where they set none.</param>
    /// <param name="size">The size of the network's input.</param>
    /// <param name="chosenSize">The image size in the user's options, which the publisher's preprocessing then resizes to; null where they set none.</param>
    /// <exception cref="CheckpointException">The publisher's file cannot be read, or asks for a step that is not supported.</exception>
    /// <exception cref="ArgumentException">The preprocessing gives images of another size.</exception>
    public ImagePreprocessing Preprocessing(ImagePreprocessing? chosen, ImageSize size, ImageSize? chosenSize = null)
    {
        var published = chosen is null && folder is not null ? format.Preprocessing(config, folder) : null;
        if (chosen is null && folder is not null && published is null)
        {
            Notices.Say($"{folder.Path} does not tell how images are prepared, as a preprocessor_config.json would: they are resized to {size} and scaled from -1 to 1. Preprocessing decides otherwise.");
        }
        else if (published is { Resize: null, OutputHeight: null })
        {
            Notices.Say($"{folder!.Path} says that images are not resized (do_resize): those of another size than the network's {size} are, all the same. Preprocessing decides how.");
            published = published with { Resize = new ImageResize.Exact(size.Height, size.Width) };
        }
        return ImagePreprocessing.ForNetwork(chosen, published, chosenSize, size);
    }

    /// <summary>The size that images are prepared to, by the user or by the publisher; null where it follows from the image, or nothing tells.</summary>
    /// <param name="chosen">The preprocessing in the user's options; null where they set none.</param>
    /// <exception cref="CheckpointException">The publisher's file cannot be read, or asks for a step that is not supported.</exception>
    public ImageSize? PreparedSize(ImagePreprocessing? chosen) => (chosen ?? (folder is null ? null : format.Preprocessing(config, folder)))?.FixedSize;

    /// <summary>The network with the published weights, or random ones where there are none.</summary>
    /// <param name="config"><see cref="Config"/>, but for the head and what concerns training; null for <see cref="Config"/> as it is.</param>
    /// <param name="generator">The source of random weights now and of dropout later; scoring needs none.</param>
    /// <param name="newHead">Whether the head is drawn anew, or there is to be none, though the checkpoint may have one.</param>
    /// <param name="precision">The numbers that published weights become.</param>
    /// <exception cref="CheckpointException">The weights do not fit the network.</exception>
    public TNetwork Build(TConfig? config = null, Generator? generator = null, bool newHead = false, Precision precision = Precision.Float32)
    {
        if (folder is null)
        {
            var drawn = TNetwork.Create(config ?? Config, generator);
            ((ITrainableNetwork)drawn).Draw(generator!);
            return drawn;
        }
        using var file = format.OpenWeights(folder, choice);
        using var weights = format.Prepare(file);
        var network = format.Create(config ?? Config, weights, generator, newHead, precision);
        try
        {
            CheckpointLoader.Load(network, weights, Dialect.For(weights, format.Dialects(network.Config)), newHead ? format.Heads : []);
            if (newHead && generator is not null)
                ((ITrainableNetwork)network).DrawHead(generator);
            network.eval();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
