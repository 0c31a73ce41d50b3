using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>A family's network as a pipeline owns it: made ready to score, written to a model file and read from one.</summary>
internal abstract class NetworkModel : IDisposable
{
    private const string ConfigEntry = "Config.json";
    private const string WeightsEntry = "Weights.safetensors";

    public abstract nn.Module Network { get; }

    /// <summary>The architecture, as text from which the family builds it anew.</summary>
    public abstract string Config { get; }

    public bool IsDisposed { get; private set; }

    /// <summary>From here on the weights are not written any more, and are nobody else's.</summary>
    public void ReadyToScore(Device device, Precision precision)
    {
        foreach (var parameter in Network.parameters())
            parameter.requires_grad = false;
        Network.eval();
        Network.to(device);
        if (precision == Precision.BFloat16)
            Network.to(ScalarType.BFloat16);
        // The weights are the transformer's, not those of a dispose scope that the caller may have open.
        foreach (var weight in Network.state_dict().Values)
            weight.DetachFromDisposeScope();
    }

    public void Save(ModelArchiveWriter archive)
    {
        archive.WriteText(ConfigEntry, Config);
        archive.WriteBytes(WeightsEntry, stream => CheckpointLoader.Save(Network, Dialect.Identity, stream));
    }

    /// <summary>Reads what <see cref="Save"/> wrote, ready to score.</summary>
    public static TModel Load<TModel>(ModelArchiveReader archive, Func<string, TModel> build, Device device, Precision precision) where TModel : NetworkModel
    {
        var model = build(archive.ReadText(ConfigEntry));
        try
        {
            // The weights come in the type that they were saved in.
            if (precision == Precision.BFloat16)
                model.Network.to(ScalarType.BFloat16);
            archive.ReadBytes(WeightsEntry, stream =>
            {
                using var weights = new SafetensorsStream(stream, WeightsEntry);
                CheckpointLoader.Load(model.Network, weights, Dialect.Identity);
            });
            model.ReadyToScore(device, precision);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        IsDisposed = true;
        Network.Dispose();
    }
}
