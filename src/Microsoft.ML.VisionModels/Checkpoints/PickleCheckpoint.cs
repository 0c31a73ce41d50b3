using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// The tensors in a pickled dictionary. If it has a dictionary of tensors under a usual name for a model's weights (<c>state_dict</c>, <c>model</c>, ...), the
/// checkpoint consists of these. Otherwise it consists of all tensors but those of an optimizer, named by their dictionary keys joined with dots.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="choice">Which weights, where a training kept two sets of them.</param>
internal abstract class PickleCheckpoint(string path, CheckpointWeights choice) : Checkpoint(path)
{
    // The first of each that is there. Lightning's averaging callback moves the trained weights away and puts the averaged ones in their place.
    private static readonly string[]
        s_trained = ["current_model_state", "state_dict", "model_state_dict", "model_state", "model", "network", "net", "params", "module", "student"],
        s_averaged =
        [
            "state_dict_ema", "ema_state_dict", "model_ema_state_dict", "model_state_ema", "model_ema", "ema_model", "ema", "ema_network", "net_ema", "params_ema",
            "averaged_model", "teacher", "state_dict",
        ];

    // A dictionary in a hostile pickle can contain itself, or occur in another one many times.
    private const int MaxDepth = 64;
    private const int MaxEntries = 1_000_000, MaxNames = 100_000;
    private const int MaxNameLength = 1000;

    // Tied tensors lie in one storage. More than a few in one, or one that repeats its elements, claim what the file does not have.
    private const int MaxTensorsOfStorage = 8;

    private readonly OrderedDictionary<string, TensorInfo> _infos = [];
    private readonly Dictionary<string, PickleTensor> _tensors = [];
    private readonly Dictionary<string, string> _texts = [];
    private readonly HashSet<string> _storages = [];
    private long _storedBytes, _claimedBytes;
    private int _entries, _names;

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _infos;

    internal override IReadOnlyDictionary<string, string> Texts => _texts;

    /// <summary>Whether the file has the storage, with the size that the pickle gives.</summary>
    protected abstract bool Has(PickleStorage storage);

    /// <summary>Fills a tensor with the elements of a storage, beginning at one of them.</summary>
    protected abstract void Read(PickleStorage storage, long firstElement, Tensor target);

    /// <summary>Collects the tensors from the object that was read.</summary>
    protected void Collect(object? root)
    {
        foreach (var (name, value) in root as PickleDictionary ?? [])
        {
            if (value is string text)
                _texts[name] = text;
        }
        for (var depth = 0; depth < MaxDepth && root is PickleDictionary dictionary and not PickleModule; depth++)
            root = Weights(dictionary) ?? root;
        Flatten(root, "", 0);
        if (_infos.Count == 0)
        {
            throw new CheckpointException($"{Path}: the pickle holds no dictionary of tensors" +
                (root is PickleOther { Name: var name } ? $", but a {name}, which is not read. Save the model's state_dict() alone, or convert it to safetensors." : "."));
        }
    }

    /// <summary>The weights in a training's dictionary; null where it has none under a usual name.</summary>
    private object? Weights(PickleDictionary dictionary)
    {
        var trained = s_trained.FirstOrDefault(name => HoldsTensors(dictionary.GetValueOrDefault(name)));
        var averaged = s_averaged.FirstOrDefault(name => name != trained && HoldsTensors(dictionary.GetValueOrDefault(name)));
        if (trained is null || averaged is null)
            return (trained ?? averaged) is { } only ? dictionary[only] : null;
        var taken = choice == CheckpointWeights.Averaged ? averaged : trained;
        Notices.Say($"{Path} holds two sets of weights, trained ones ('{trained}') and their average ('{averaged}'); '{taken}' is read. {nameof(CheckpointWeights)} says which.");
        return dictionary[taken];
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

    /// <summary>Whether a dictionary has a tensor in it, at any depth.</summary>
    private static bool HoldsTensors(object? value)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<object?>([value]);
        while (open.TryPop(out var next))
        {
            if (next is PickleTensor)
                return true;
            if (next is not PickleDictionary dictionary || !seen.Add(dictionary))
                continue;
            foreach (var entry in dictionary.Values)
                open.Push(entry);
        }
        return false;
    }

    private void Flatten(object? value, string name, int depth)
    {
        if (++_entries > MaxEntries || (value is PickleTensor or PickleDictionary && ++_names > MaxNames) || depth > MaxDepth)
            throw new CheckpointException($"{Path}: the pickle holds more than {MaxEntries} entries, {MaxNames} tensors and dictionaries, or dictionaries more than {MaxDepth} deep.");
        if (value is PickleTensor tensor)
        {
            if (!_infos.TryAdd(name, new TensorInfo(name, tensor.Storage.Type, tensor.Shape)))
                throw new CheckpointException($"{Path}: two tensors are named '{name}'.");
            if (!Has(tensor.Storage))
                throw new CheckpointException($"{Path}: the storage '{tensor.Storage.Key}' of tensor '{name}' is missing, or not of {tensor.Storage.Count} elements of {tensor.Storage.Type.Name()}.");
            Claim(tensor);
            _tensors.Add(name, tensor);
        }
        else if (value is PickleDictionary dictionary)
        {
            foreach (var (word, item) in dictionary)
            {
                if (depth == 0 && word.StartsWith("optimizer", StringComparison.Ordinal))
                    continue;
                // Without a limit, a very long key of a dictionary would be copied into the name of each of its entries.
                var isNamed = item is PickleTensor or PickleDictionary;
                if (isNamed && name.Length + word.Length > MaxNameLength)
                    throw new CheckpointException($"{Path}: a name in the pickle has more than {MaxNameLength} characters.");
                Flatten(item, !isNamed ? "" : depth == 0 ? word : $"{name}.{word}", depth + 1);
            }
        }
    }

    /// <summary>Sees to it that the tensors are not much larger, all together, than what is stored: a network is built as large as they say.</summary>
    private void Claim(PickleTensor tensor)
    {
        if (_storages.Add(tensor.Storage.Key))
            _storedBytes += tensor.Storage.Count * tensor.Storage.Type.Size();
        _claimedBytes += TensorTypes.ByteCount(tensor.Shape, tensor.Storage.Type) ?? 0;
        if (_claimedBytes > MaxTensorsOfStorage * _storedBytes + PickleTorch.MaxExpandedBytes)
            throw new CheckpointException($"{Path}: the pickle's tensors repeat the elements of their storages many times: they would take {_claimedBytes} bytes, of which the file has {_storedBytes}.");
    }
}
