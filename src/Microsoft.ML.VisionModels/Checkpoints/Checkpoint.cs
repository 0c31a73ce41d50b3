using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// The named tensors of a model file. Opening reads only the table of contents; <see cref="Read"/> reads the tensors one by one.
/// </summary>
/// <remarks>A checkpoint keeps its files open until it is disposed of. Only one thread may use it at a time.</remarks>
public abstract class Checkpoint : IDisposable
{
    // In the order in which Hugging Face's own loaders look for them; then what a publisher has beside or instead of them, of 16 bits or with
    // their average.
    private static readonly string[] s_folderFiles =
    [
        "model.safetensors",
        "model.safetensors.index.json",
        "diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
        "diffusion_pytorch_model.bin",
        "diffusion_pytorch_model.bin.index.json",
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.bin",
        .. new[] { "fp16", "bf16", "non_ema" }.SelectMany(variant => new[] { "model", "diffusion_pytorch_model" }.SelectMany(name => (string[])
            [$"{name}.{variant}.safetensors", $"{name}.safetensors.index.{variant}.json", $"{name}.{variant}.safetensors.index.json"])),
        .. new[] { "fp16", "bf16", "non_ema" }.SelectMany(variant => new[] { "pytorch_model", "diffusion_pytorch_model" }.Select(name => $"{name}.{variant}.bin")),
    ];

    private protected Checkpoint(string path) => Path = path;

    /// <summary>The file; of a sharded checkpoint its index.</summary>
    public string Path { get; }

    /// <summary>The tensors by name, in the order of the file.</summary>
    public abstract IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The texts that stand beside the tensors in a pickle's dictionary, by name, such as what an embedding is called.</summary>
    internal virtual IReadOnlyDictionary<string, string> Texts { get; } = new Dictionary<string, string>();

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">
    /// A <c>.safetensors</c> file; PyTorch's <c>.pt</c>, <c>.pth</c>, <c>.bin</c> or <c>.ckpt</c>; the <c>.index.json</c> of a sharded checkpoint;
    /// or a folder as Hugging Face publishes it. The reader of PyTorch files builds tensors only and runs no code.
    /// </param>
    /// <param name="weights">Which weights, where a training kept both those that it trained and their average.</param>
    /// <returns>The checkpoint, which the caller disposes of.</returns>
    /// <remarks>
    /// Of a PyTorch file, the checkpoint has the tensors of the dictionary <c>state_dict</c>, <c>model_state_dict</c>, <c>model</c>, <c>network</c>, <c>net</c>, <c>params</c>
    /// or <c>student</c>, whichever comes first; or, as <paramref name="weights"/> says or where it has no such dictionary, of one for averaged weights: <c>state_dict_ema</c>,
    /// <c>model_ema</c>, <c>ema</c>, <c>ema_model</c>, <c>params_ema</c>, <c>teacher</c>. If there is none, it has all tensors but those of an optimizer, named by
    /// their dictionary keys joined with dots.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such file, or the folder holds no weights.</exception>
    /// <exception cref="CheckpointException">The file is malformed, or of a format that is not read.</exception>
    public static Checkpoint Open(string path, CheckpointWeights weights = CheckpointWeights.Trained)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            path = s_folderFiles.Select(name => System.IO.Path.Combine(path, name)).FirstOrDefault(System.IO.Path.Exists)
                ?? throw new FileNotFoundException($"The folder {path} holds no weights: none of {string.Join(", ", s_folderFiles)} is there.", path);
        }
        if (!System.IO.Path.Exists(path))
            throw new FileNotFoundException($"There is no checkpoint '{path}': no file or folder {System.IO.Path.GetFullPath(path)}. Published weights are read from disk, never downloaded.", path);

        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && System.IO.Path.GetFileName(path).Contains(".index.", StringComparison.OrdinalIgnoreCase))
            return new ShardedCheckpoint(path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return new SafetensorsCheckpoint(path);

        // PyTorch's two formats have the same file extensions, so the first bytes decide.
        Span<byte> start = stackalloc byte[4];
        using (var file = InputFile.Open(path))
            start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (start.StartsWith("PK\x03\x04"u8))
            return new TorchZipCheckpoint(path, weights);
        if (start is [0x80, >= 2 and <= 5, ..])
            return new TorchLegacyCheckpoint(path, weights);
        throw new CheckpointException($"{path}: this is neither safetensors (by its name) nor what torch.save writes (by its first bytes).");
    }

    /// <summary>Reads one tensor.</summary>
    /// <param name="name">A name in <see cref="Tensors"/>.</param>
    /// <returns>A new CPU tensor with the element type and shape in the file. The caller disposes of it.</returns>
    /// <exception cref="KeyNotFoundException">The checkpoint has no such tensor.</exception>
    /// <exception cref="CheckpointException">The file ends too early, or what it holds does not have the checksum that it should.</exception>
    public Tensor Read(string name)
    {
        TorchRuntime.EnsureAvailable();
        var info = Find(name);
        var tensor = empty([.. info.Shape], info.Type);
        try
        {
            CopyTo(name, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor into an existing tensor, or a view of one, with the same number of elements, and converts it to its type.</summary>
    internal void CopyTo(string name, Tensor target)
    {
        var info = Find(name);
        if (info.Shape.Product() != target.NumberOfElements)
            throw new ArgumentException($"Tensor '{name}' has shape {info.Shape.Text()}; it cannot be copied to {target.shape.Text()}.", nameof(target));
        if (target.NumberOfElements == 0)
            return;

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        try
        {
            Fill(target, info);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw new CheckpointException($"{Path}: tensor '{name}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Writes the elements to <paramref name="target"/>, which has as many, and at least one.</summary>
    private protected abstract void Fill(Tensor target, TensorInfo info);

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the files.</summary>
    /// <param name="disposing">Whether the call comes from <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);

    private TensorInfo Find(string name) => Tensors.TryGetValue(name, out var info)
        ? info
        : throw new KeyNotFoundException($"{Path} has no tensor '{name}'.");
}

/// <summary>Which weights are read of a training's checkpoint that holds two sets of them; of one that holds one, that is read.</summary>
public enum CheckpointWeights
{
    /// <summary>Those that were trained: <c>state_dict</c>, <c>model</c>, a student.</summary>
    Trained,

    /// <summary>Their running average, which is usually the better network: <c>state_dict_ema</c>, <c>model_ema</c>, a teacher that follows its student.</summary>
    Averaged,
}

/// <summary>The name, type and shape of a tensor in a checkpoint.</summary>
/// <param name="Name">The tensor's name in the file, with dots between its segments.</param>
/// <param name="Type">The element type in the file.</param>
/// <param name="Shape">The size of each dimension, outermost first; empty for a scalar.</param>
public sealed record TensorInfo(string Name, ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Name, type and shape, such as <c>norm.weight Float32 [768]</c>.</summary>
    public override string ToString() => $"{Name} {Type} {Shape.Text()}";
}
