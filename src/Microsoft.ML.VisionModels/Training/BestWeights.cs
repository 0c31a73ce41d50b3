using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Keeps a copy of the weights of the best validated epoch and puts them back when training ends.</summary>
internal sealed class BestWeights : ITrainingCallback, IDisposable
{
    private readonly Dictionary<string, Tensor> _copies = [];

    /// <summary>The copies by the weights' names; none before the first validation.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors => _copies.Select(entry => (entry.Key, entry.Value));

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

    /// <summary>Copies the network's present weights.</summary>
    public void Keep(nn.Module network)
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

    public void Dispose()
    {
        foreach (var copy in _copies.Values)
            copy.Dispose();
        _copies.Clear();
    }

    private void Restore(nn.Module network)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (name, tensor) in network.state_dict())
            tensor.copy_(_copies[name]);
    }
}
