using Microsoft.ML.VisionModels.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// The named tensors of a model file. Opening reads only the table of contents; tensors are read when they are asked for.
/// </summary>
/// <remarks>A checkpoint keeps its files open until it is disposed. It serves one thread at a time.</remarks>
public abstract class Checkpoint : IDisposable
{
    private protected Checkpoint(string path) => Path = path;

    /// <summary>The file, or the index of its shards.</summary>
    public string Path { get; }

    /// <summary>The tensors by name, in the order of the file.</summary>
    public abstract IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">
    /// A <c>.safetensors</c> file; PyTorch's <c>.pt</c>, <c>.pth</c>, <c>.bin</c> or <c>.ckpt</c>; the <c>.index.json</c> of a sharded checkpoint;
    /// or a folder as Hugging Face publishes it. PyTorch files are read by a reader that builds tensors and runs no code.
    /// </param>
    /// <returns>The checkpoint, which the caller disposes.</returns>
    /// <remarks>
    /// In a PyTorch file the tensors of the dictionary <c>state_dict</c>, <c>model_state_dict</c>, <c>model</c>, <c>network</c>, <c>net</c> or <c>params</c> are the checkpoint,
    /// the first of these that there is. Without one it is all tensors but an optimizer's, named by the dictionary keys on the way to them with dots between.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such file, or the folder holds no weights.</exception>
    /// <exception cref="CheckpointException">The file is malformed, or of a format that is not read.</exception>
    public static Checkpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return CheckpointFiles.Open(path);
    }

    /// <summary>Reads one tensor.</summary>
    /// <param name="name">A name in <see cref="Tensors"/>.</param>
    /// <returns>A new CPU tensor of the file's element type and shape, which the caller owns.</returns>
    /// <exception cref="KeyNotFoundException">The checkpoint has no such tensor.</exception>
    /// <exception cref="CheckpointException">The file ends too early.</exception>
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

    /// <summary>Reads one tensor into an existing one, or a view of one, with the same number of elements; the type is converted to the target's.</summary>
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

    /// <summary>Writes the file's elements to <paramref name="target"/>, which has as many of them and at least one.</summary>
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
