using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// A published diffusion model: diffusers' folder with <c>model_index.json</c>, or a single file. Opening reads what there is; each network is
/// read when it is asked for, and is the caller's.
/// </summary>
internal abstract class PublishedDiffusion
{
    private protected PublishedDiffusion(string path) => Path = path;

    /// <summary>The folder or the file.</summary>
    public string Path { get; }

    /// <summary>The class of diffusers' pipeline; null where nothing tells.</summary>
    public virtual string? Pipeline => null;

    /// <summary>How many text towers there are: none, one, or SDXL's two.</summary>
    public abstract int TextEncoders { get; }

    /// <summary>Whether the network works on latents, not on images.</summary>
    public abstract bool HasAutoencoder { get; }

    /// <summary>Whether the vectors of an empty negative prompt are zeros (<c>force_zeros_for_empty_prompt</c>).</summary>
    public abstract bool ZerosForNothing { get; }

    /// <summary>The scheduler's <c>scheduler_config.json</c>; null where there is none.</summary>
    public virtual string? SchedulerConfig => null;

    /// <param name="path">A folder with <c>model_index.json</c>, or a single file (<c>.safetensors</c>, <c>.ckpt</c>).</param>
    /// <exception cref="FileNotFoundException">There is no such folder or file, or the folder has no <c>model_index.json</c>.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or of no diffusion model.</exception>
    public static PublishedDiffusion Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Directory.Exists(path) ? new DiffusionFolder(path) : new DiffusionFile(path);
    }

    /// <param name="precision">The numbers that the weights become.</param>
    /// <param name="generator">The source of dropout while training; scoring needs none.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or asks for what is not built.</exception>
    public abstract UNet OpenUNet(Precision precision = Precision.Float32, Generator? generator = null);

    /// <inheritdoc cref="OpenUNet"/>
    public abstract Autoencoder OpenAutoencoder(Precision precision = Precision.Float32);

    /// <inheritdoc cref="OpenUNet"/>
    /// <param name="index">From 0 to <see cref="TextEncoders"/> - 1.</param>
    /// <param name="precision">The numbers that the weights become.</param>
    public abstract ClipTextNetwork OpenTextEncoder(int index = 0, Precision precision = Precision.Float32);

    /// <summary>The tokenizer of a text tower.</summary>
    /// <param name="network">The tower.</param>
    /// <param name="index">From 0 to <see cref="TextEncoders"/> - 1.</param>
    /// <param name="path">Where it lies, if not with the model; single files have none.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="CheckpointException">A file is damaged, or not this network's.</exception>
    public abstract PromptTokenizer OpenTokenizer(ClipTextConfig network, int index = 0, string? path = null);
}

/// <summary>A folder as diffusers publishes it: a folder for each part that <c>model_index.json</c> names; older ones have the only network beside that file.</summary>
internal sealed class DiffusionFolder : PublishedDiffusion
{
    private const string IndexFile = "model_index.json", SchedulerFile = "scheduler_config.json";

    private static readonly string[] s_textEncoders = ["text_encoder", "text_encoder_2"];

    private readonly Dictionary<string, string> _classes = [];

    public DiffusionFolder(string path) : base(path)
    {
        var index = ModelFolder.ReadFile(System.IO.Path.Combine(path, IndexFile))
            ?? throw new FileNotFoundException($"The folder {path} has no {IndexFile}, which names the parts of a diffusion model.", System.IO.Path.Combine(path, IndexFile));
        Pipeline = index.Optional("_class_name") is null ? null : index.Get("_class_name", "");
        ZerosForNothing = index.Get("force_zeros_for_empty_prompt", false);
        foreach (var entry in index.EnumerateObject())
        {
            // [library, class]; a part that is not there is [null, null].
            if (entry.Value.ValueKind == JsonValueKind.Array && entry.Value.GetArrayLength() == 2 && entry.Value[1].ValueKind == JsonValueKind.String)
                _classes.Add(entry.Name, entry.Value[1].GetString()!);
        }
    }

    public override string? Pipeline { get; }

    /// <summary>The class of each part, by its name.</summary>
    public IReadOnlyDictionary<string, string> Classes => _classes;

    public override int TextEncoders => s_textEncoders.Count(_classes.ContainsKey);

    public override bool HasAutoencoder => _classes.ContainsKey("vae");

    public override bool ZerosForNothing { get; }

    public override string? SchedulerConfig => _classes.ContainsKey("scheduler") ? System.IO.Path.Combine(FolderOf("scheduler", SchedulerFile), SchedulerFile) : null;

    public override UNet OpenUNet(Precision precision = Precision.Float32, Generator? generator = null) => new UNetModel().Open(FolderOf("unet")).Build(generator: generator, precision: precision);

    public override Autoencoder OpenAutoencoder(Precision precision = Precision.Float32) => ClassOf("vae") switch
    {
        "AutoencoderKL" => new AutoencoderKlModel().Open(FolderOf("vae")).Build(precision: precision),
        "AutoencoderTiny" => new TinyAutoencoderModel().Open(FolderOf("vae")).Build(precision: precision),
        var other => throw new CheckpointException($"{Path}: the autoencoder is a {other}, which is not built; AutoencoderKL and AutoencoderTiny are."),
    };

    public override ClipTextNetwork OpenTextEncoder(int index = 0, Precision precision = Precision.Float32) => ClassOf(TextEncoder(index)) is "CLIPTextModel" or "CLIPTextModelWithProjection"
        ? new ClipTextModel().Open(FolderOf(TextEncoder(index))).Build(precision: precision)
        : throw new CheckpointException($"{Path}: '{TextEncoder(index)}' is a {ClassOf(TextEncoder(index))}, which is not built; CLIPTextModel and CLIPTextModelWithProjection are.");

    public override PromptTokenizer OpenTokenizer(ClipTextConfig network, int index = 0, string? path = null) =>
        PromptTokenizer.Load(path ?? FolderOf(TextEncoder(index).Replace("text_encoder", "tokenizer", StringComparison.Ordinal), "tokenizer_config.json"), network);

    // A model may have the second tower alone.
    private string TextEncoder(int index) => s_textEncoders.Where(_classes.ContainsKey).ElementAtOrDefault(index)
        ?? throw new ArgumentOutOfRangeException(nameof(index), index, $"{Path} has {TextEncoders} text towers.");

    private string ClassOf(string part) => _classes.TryGetValue(part, out var name) ? name : throw new CheckpointException($"{Path}: {IndexFile} names no '{part}'.");

    private string FolderOf(string part, string file = "config.json")
    {
        var (type, folder) = (ClassOf(part), System.IO.Path.Combine(Path, part));
        if (Directory.Exists(folder))
            return folder;
        return File.Exists(System.IO.Path.Combine(Path, file)) ? Path
            : throw new FileNotFoundException($"{Path}: {IndexFile} names the part '{part}' ({type}), but there is no folder {part}. Bring the whole folder of the model.", folder);
    }
}

/// <summary>
/// A single file of Stable Diffusion 1, 2 or XL with all networks in the authors' names. It has no configurations: tensors tell them, and what
/// they cannot tell is as usual.
/// </summary>
internal sealed class DiffusionFile : PublishedDiffusion
{
    private const string UNetPrefix = "model.diffusion_model.", AutoencoderPrefix = "first_stage_model.";

    // The text towers, by what their names begin with: Stable Diffusion 1 and 2, and XL's two.
    private static readonly string[] s_textPrefixes =
        ["cond_stage_model.transformer.", SecondVersionPrefix, "conditioner.embedders.0.transformer.", "conditioner.embedders.0.model.", "conditioner.embedders.1.model."];

    // Of it the last block was never used.
    private const string SecondVersionPrefix = "cond_stage_model.model.";

    private const double ScalingFactor = 0.18215, ScalingFactorOfXL = 0.13025;

    private readonly string[] _textPrefixes;
    private readonly bool _isXL;

    public DiffusionFile(string path) : base(path)
    {
        using var file = Checkpoint.Open(path);
        if (!file.Tensors.Keys.Any(name => name.StartsWith(UNetPrefix, StringComparison.Ordinal)))
            throw new CheckpointException($"{path} is no single file of a diffusion model: none of its tensors' names begins with '{UNetPrefix}'. Of diffusers give the folder that has model_index.json.");
        _textPrefixes = [.. s_textPrefixes.Where(prefix => file.Tensors.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)))];
        HasAutoencoder = file.Tensors.Keys.Any(name => name.StartsWith(AutoencoderPrefix, StringComparison.Ordinal));
        _isXL = file.Tensors.Keys.Any(name => name.StartsWith("conditioner.", StringComparison.Ordinal));
    }

    /// <summary>The U-Net's hyper-parameters, where they are known; null for what its tensors tell.</summary>
    public UNetConfig? UNet { get; init; }

    /// <summary>The autoencoder's hyper-parameters, where they are known; null for what its tensors tell.</summary>
    public AutoencoderKlConfig? Autoencoder { get; init; }

    /// <summary>The text tower's hyper-parameters, where they are known; null for what its tensors tell.</summary>
    public ClipTextConfig? Text { get; init; }

    public override int TextEncoders => _textPrefixes.Length;

    public override bool HasAutoencoder { get; }

    // As the folder of SDXL says.
    public override bool ZerosForNothing => _isXL;

    public override UNet OpenUNet(Precision precision = Precision.Float32, Generator? generator = null)
    {
        using var part = UnwrappedCheckpoint.Under(Checkpoint.Open(Path), UNetPrefix);
        return new UNetModel().Load(part, UNet ?? LdmConfig.UNet(part), precision, generator);
    }

    public override Autoencoder OpenAutoencoder(Precision precision = Precision.Float32)
    {
        using var part = UnwrappedCheckpoint.Under(Checkpoint.Open(Path), AutoencoderPrefix);
        return new AutoencoderKlModel().Load(part, Autoencoder ?? LdmConfig.Autoencoder(part, _isXL ? ScalingFactorOfXL : ScalingFactor), precision);
    }

    public override ClipTextNetwork OpenTextEncoder(int index = 0, Precision precision = Precision.Float32)
    {
        if (index < 0 || index >= TextEncoders)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"{Path} has {TextEncoders} text towers.");
        var prefix = _textPrefixes[index];
        using var part = UnwrappedCheckpoint.Under(Checkpoint.Open(Path), prefix);
        var config = Text ?? ClipTextModel.FromTensors(part);
        if (Text is not null || prefix != SecondVersionPrefix)
            return new ClipTextModel().Load(part, config, precision);
        var (unused, depth) = ($"transformer.resblocks.{config.Depth - 1}.", config.Depth - 1);
        using var used = UnwrappedCheckpoint.Under(Checkpoint.Open(Path), prefix, name => name != "text_projection" && !name.StartsWith(unused, StringComparison.Ordinal));
        return new ClipTextModel().Load(used, config with { Depth = depth, EmbeddingSize = 0 }, precision);
    }

    public override PromptTokenizer OpenTokenizer(ClipTextConfig network, int index = 0, string? path = null) => path is not null
        ? PromptTokenizer.Load(path, network, index == 0 ? null : 0)        // open_clip's, of which SDXL's second is one, fill rows with zeros
        : throw new FileNotFoundException($"{Path} is a single file, which has no tokenizer: name the folder with vocab.json and merges.txt.");
}
