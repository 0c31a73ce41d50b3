using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// A network that is ready to score: its weights are written no more, and are nobody else's. This is the one place where a network
/// is made so, layer by layer. Disposing of it frees the weights, as soon as no call uses them any more.
/// </summary>
/// <remarks>
/// The network is reached through <see cref="Use"/> alone, by calls that say when they are done with it: libtorch reads freed memory
/// without a word, or ends the process. Disposing does not wait; the last call frees.
/// </remarks>
internal sealed class ScoringNetwork : IDisposable
{
    private readonly Lock _lock = new();
    private readonly nn.Module _module;
    private readonly long _bytes;
    private IDisposable? _with;
    private int _uses;
    private bool _isDisposed;

    /// <summary>The network becomes this one's.</summary>
    public ScoringNetwork(nn.Module module, Device device, Precision precision)
    {
        (_module, Device, Type) = (module, device, TypeOf(precision));
        foreach (var parameter in module.parameters())
            parameter.requires_grad = false;
        module.eval();
        module.to(device);
        if (precision == Precision.BFloat16)
            module.to(ScalarType.BFloat16);
        var bytes = 0L;
        // The weights are this one's, not those of a dispose scope that the caller may have open.
        foreach (var weight in module.state_dict().Values)
        {
            weight.DetachFromDisposeScope();
            bytes += weight.NumberOfElements * weight.ElementSize;
        }
        foreach (var layer in module.modules().OfType<IScoringLayer>())
            layer.MakeReadyToScore();
        // Of a network that nobody disposes of, the garbage collector sees a few small objects, and would take its time.
        if (bytes > 0)
            GC.AddMemoryPressure(_bytes = bytes);
    }

    /// <summary>The weights free themselves; what is left is to say that they are gone.</summary>
    ~ScoringNetwork() => RemoveMemoryPressure();

    public Device Device { get; }

    /// <summary>The type of the network's weights and of what it takes.</summary>
    public ScalarType Type { get; }

    public static ScalarType TypeOf(Precision precision) => precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>The network for one call, which it stays for whoever disposes meanwhile; null where it was disposed of.</summary>
    public NetworkUse? TryUse()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return null;
            _uses++;
        }
        return new(this, _module);
    }

    /// <inheritdoc cref="TryUse"/>
    /// <param name="owner">What the error calls the model.</param>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public NetworkUse Use(object owner) => TryUse() ?? throw new ObjectDisposedException(owner.GetType().FullName);

    public void Dispose() => Dispose(with: null);

    /// <param name="with">What goes when the network does, and is needed by the same calls.</param>
    public void Dispose(IDisposable? with)
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            (_isDisposed, _with) = (true, with);
            if (_uses > 0)
                return;
        }
        Free();
    }

    /// <summary>A call is done.</summary>
    internal void End()
    {
        lock (_lock)
        {
            if (--_uses > 0 || !_isDisposed)
                return;
        }
        Free();
    }

    private void Free()
    {
        _module.Dispose();
        _with?.Dispose();
        RemoveMemoryPressure();
        GC.SuppressFinalize(this);
    }

    private void RemoveMemoryPressure()
    {
        if (_bytes > 0)
            GC.RemoveMemoryPressure(_bytes);
    }
}

/// <summary>A network while a call uses it. It is there until this is disposed of, whoever disposes of the model meanwhile.</summary>
internal sealed class NetworkUse(ScoringNetwork network, nn.Module module) : IDisposable
{
    private int _isOver;

    public Device Device => network.Device;

    /// <inheritdoc cref="ScoringNetwork.Type"/>
    public ScalarType Type => network.Type;

    /// <summary>The network, which is not to be kept beyond this use.</summary>
    public nn.Module Module
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isOver != 0, this);
            return module;
        }
    }

    /// <summary>The network as what it can do.</summary>
    public T As<T>() where T : class => (T)(object)Module;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
            network.End();
    }
}
