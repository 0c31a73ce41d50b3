using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// The tensors in a pickled dictionary. If it has a dictionary of tensors under a usual name for a model's weights (<c>state_dict</c>, <c>model</c>, ...), the
/// checkpoint consists of these. Otherwise it consists of all tensors but those of an optimizer, named by their dictionary keys joined with dots.
/// </summary>
internal abstract class PickleCheckpoint(string path) : Checkpoint(path)
{
    private static readonly string[] s_weights = ["state_dict", "model_state_dict", "model", "network", "net", "params"];

    // A dictionary in a hostile pickle can contain itself, or occur in another one many times.
    private const int MaxDepth = 16;
    private const int MaxEntries = 100_000;
    private const int MaxNameLength = 1000;

    private readonly OrderedDictionary<string, TensorInfo> _infos = [];
    private readonly Dictionary<string, PickleTensor> _tensors = [];
    private int _entries;

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _infos;

    /// <summary>Whether the file has the storage, with the size that the pickle gives.</summary>
    protected abstract bool Has(PickleStorage storage);

    /// <summary>Fills a tensor with the elements of a storage, beginning at one of them.</summary>
    protected abstract void Read(PickleStorage storage, long firstElement, Tensor target);

    /// <summary>Collects the tensors from the object that was read.</summary>
    protected void Collect(object? root)
    {
        for (var depth = 0; depth < MaxDepth && root is PickleDictionary dictionary and not PickleModule; depth++)
            root = s_weights.Select(name => dictionary.GetValueOrDefault(name)).FirstOrDefault(HoldsTensors) ?? root;
        Flatten(root, "", 0);
        if (_infos.Count == 0)
            throw new CheckpointException($"{Path}: the pickle holds no dictionary of tensors.");
    }

    private protected override void Fill(Tensor target, TensorInfo info)
    {
        var tensor = _tensors[info.Name];
        if (tensor.IsContiguous)
        {
            Read(tensor.Storage, tensor.Offset, target);
            return;
        }
        var extent = empty(tensor.Extent, info.Type);
        Read(tensor.Storage, tensor.Offset, extent);
        target.copy_(extent.as_strided(tensor.Shape, tensor.Strides).reshape(target.shape));
    }

    private static bool HoldsTensors(object? value) => value is PickleDictionary dictionary && dictionary.Values.Any(entry => entry is PickleTensor or PickleDictionary);

    private void Flatten(object? value, string name, int depth)
    {
        if (++_entries > MaxEntries || depth > MaxDepth)
            throw new CheckpointException($"{Path}: the pickle holds more than {MaxEntries} entries, or dictionaries more than {MaxDepth} deep.");
        // Without a limit, a very long key of a dictionary would be copied into the name of each of its entries.
        if (name.Length > MaxNameLength)
            throw new CheckpointException($"{Path}: a name in the pickle has more than {MaxNameLength} characters.");
        if (value is PickleTensor tensor)
        {
            if (!_infos.TryAdd(name, new TensorInfo(name, tensor.Storage.Type, tensor.Shape)))
                throw new CheckpointException($"{Path}: two tensors are named '{name}'.");
            if (!Has(tensor.Storage))
                throw new CheckpointException($"{Path}: the storage '{tensor.Storage.Key}' of tensor '{name}' is missing, or not of {tensor.Storage.Count} elements of {tensor.Storage.Type.Name()}.");
            _tensors.Add(name, tensor);
        }
        else if (value is PickleDictionary dictionary)
        {
            foreach (var (word, item) in dictionary)
            {
                if (depth > 0 || !word.StartsWith("optimizer", StringComparison.Ordinal))
                    Flatten(item, depth == 0 ? word : $"{name}.{word}", depth + 1);
            }
        }
    }
}
