using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Takes intermediate tensors out of one forward pass: attention maps for users, every step for the reference tests.
/// A network calls <c>trace?.Add(name, tensor)</c>; a tensor that is not asked for costs nothing.
/// </summary>
/// <remarks>The trace owns what it holds. With gradients enabled the tensors keep their graph.</remarks>
internal sealed class Trace : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly Predicate<string> _wants;
    private readonly Func<Tensor, Tensor> _keep;
    private readonly string _prefix;

    /// <summary>Takes everything.</summary>
    public Trace() : this(_ => true)
    {
    }

    /// <summary>Takes the tensors of these names.</summary>
    public Trace(params string[] names) : this(names.Contains)
    {
    }

    /// <param name="wants">Whether the tensor of a name is taken.</param>
    /// <param name="reduce">What is kept of a tensor, where that is not all of it.</param>
    public Trace(Predicate<string> wants, Func<Tensor, Tensor>? reduce = null) : this([], wants, reduce ?? (tensor => tensor.alias()), "")
    {
    }

    private Trace(Dictionary<string, Tensor> tensors, Predicate<string> wants, Func<Tensor, Tensor> keep, string prefix)
    {
        (_tensors, _wants, _keep, _prefix) = (tensors, wants, keep, prefix);
    }

    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    public Tensor this[string name] => _tensors.TryGetValue(_prefix + name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"The forward pass left no '{_prefix + name}'; it left {string.Join(", ", _tensors.Keys)}.");

    /// <summary>The same trace seen from a part of the network: names get <paramref name="part"/> and a dot before them.</summary>
    public Trace In(string part) => new(_tensors, _wants, _keep, $"{_prefix}{part}.");

    /// <summary>Whether <see cref="Add"/> would keep this name. Ask before computing what only the trace needs.</summary>
    public bool Wants(string name) => _wants(_prefix + name);

    public void Add(string name, Tensor tensor)
    {
        if (!Wants(name))
            return;
        if (_tensors.Remove(_prefix + name, out var earlier))
            earlier.Dispose();
        _tensors[_prefix + name] = _keep(tensor).DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
        _tensors.Clear();
    }
}
