using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>A layer that may choose another way to compute once its weights stay as they are.</summary>
internal interface IScoringLayer
{
    /// <summary>Called once, after the weights have come to their device and type.</summary>
    void MakeReadyToScore();
}

/// <summary>
/// A network that is ready to score: its weights are written no more, and are nobody else's. This is the one place where a network
/// is made so, layer by layer. Disposing of it frees the weights.
/// </summary>
internal sealed class ScoringNetwork : IDisposable
{
    /// <summary>The network becomes this one's.</summary>
    public ScoringNetwork(nn.Module module, Device device, Precision precision)
    {
        (Module, Device, Type) = (module, device, TypeOf(precision));
        foreach (var parameter in module.parameters())
            parameter.requires_grad = false;
        module.eval();
        module.to(device);
        if (precision == Precision.BFloat16)
            module.to(ScalarType.BFloat16);
        // The weights are this one's, not those of a dispose scope that the caller may have open.
        foreach (var weight in module.state_dict().Values)
            weight.DetachFromDisposeScope();
        foreach (var layer in module.modules().OfType<IScoringLayer>())
            layer.MakeReadyToScore();
    }

    public nn.Module Module { get; }

    public Device Device { get; }

    /// <summary>The type of the network's weights and of what it takes.</summary>
    public ScalarType Type { get; }

    public bool IsDisposed { get; private set; }

    public static ScalarType TypeOf(Precision precision) => precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <param name="owner">What the error calls the model: a type or an instance of it.</param>
    public void ThrowIfDisposed(object owner) => ObjectDisposedException.ThrowIf(IsDisposed, owner);

    public void Dispose()
    {
        IsDisposed = true;
        Module.Dispose();
    }
}
