using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Takes intermediate tensors out of one forward pass: attention maps for users, every step for the reference tests.
/// A network calls <c>trace?.Add(name, tensor)</c>; what nobody wants costs nothing.
/// </summary>
/// <remarks>The trace owns what it holds. With gradients enabled the tensors keep their graph.</remarks>
internal sealed class Trace : IDisposable
{
    private readonly Dictionary<string, Tensor> tensors;
    private readonly Predicate<string> wants;
    private readonly string prefix;

    /// <summary>Takes everything.</summary>
    public Trace() : this(_ => true)
    {
    }

    /// <summary>Takes the tensors of these names.</summary>
    public Trace(params string[] names) : this(names.Contains)
    {
    }

    public Trace(Predicate<string> wants) : this([], wants, "")
    {
    }

    private Trace(Dictionary<string, Tensor> tensors, Predicate<string> wants, string prefix)
    {
        (this.tensors, this.wants, this.prefix) = (tensors, wants, prefix);
    }

    public IReadOnlyDictionary<string, Tensor> Tensors => tensors;

    public Tensor this[string name] => tensors.TryGetValue(prefix + name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"The forward pass left no '{prefix + name}'; it left {string.Join(", ", tensors.Keys)}.");

    /// <summary>The same trace seen from a part of the network: names get <paramref name="part"/> and a dot before them.</summary>
    public Trace In(string part) => new(tensors, wants, $"{prefix}{part}.");

    /// <summary>Whether <see cref="Add"/> would keep this name. Ask before computing what only the trace needs.</summary>
    public bool Wants(string name) => wants(prefix + name);

    public void Add(string name, Tensor tensor)
    {
        if (!Wants(name))
            return;
        if (tensors.Remove(prefix + name, out var earlier))
            earlier.Dispose();
        tensors[prefix + name] = tensor.alias().DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        tensors.Clear();
    }
}
