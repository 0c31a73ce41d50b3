using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Keeps a copy of the weights of the best validated epoch and puts them back when training ends.</summary>
internal sealed class BestWeights : ITrainingCallback, IDisposable
{
    private readonly Dictionary<string, Tensor> _copies = [];

    public bool OnEpochEnd(TrainingState state)
    {
        if (state.BestEpoch == state.Epoch)
            Keep(state.Task.Network);
        return false;
    }

    public void OnTrainEnd(TrainingState state)
    {
        if (_copies.Count > 0)
            Restore(state.Task.Network);
    }

    public void Dispose()
    {
        foreach (var copy in _copies.Values)
            copy.Dispose();
        _copies.Clear();
    }

    private void Keep(nn.Module network)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (name, tensor) in network.state_dict())
        {
            if (_copies.TryGetValue(name, out var copy))
                copy.copy_(tensor);
            else
                _copies[name] = tensor.clone().DetachFromDisposeScope();
        }
    }

    private void Restore(nn.Module network)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (name, tensor) in network.state_dict())
            tensor.copy_(_copies[name]);
    }
}
