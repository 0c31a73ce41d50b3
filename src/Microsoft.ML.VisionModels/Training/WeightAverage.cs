using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// An exponential moving average of the weights (Polyak and Juditsky, 1992), which generalizes better than the last weights. The
/// decay grows with the steps, as min(decay, (1 + step) / (10 + step)), so that the first weights are soon forgotten.
/// </summary>
internal sealed class WeightAverage : IDisposable
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def step(average: List[Tensor], weights: List[Tensor], weight: float):
          torch._foreach_lerp_(average, weights, weight)
          return average[0]

        """);

    private readonly double _decay;
    private readonly (string Name, Tensor Weight, Tensor Average)[] _tensors;
    private readonly Tensor[] _weights, _averages;   // those that are averaged: not counters

    public WeightAverage(nn.Module network, double decay)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        _decay = decay;
        _tensors = [.. network.state_dict().Select(entry => (entry.Key, entry.Value, entry.Value.detach().clone().DetachFromDisposeScope()))];
        var averaged = _tensors.Where(t => t.Weight.is_floating_point()).ToArray();
        (_weights, _averages) = ([.. averaged.Select(t => t.Weight)], [.. averaged.Select(t => t.Average)]);
    }

    /// <summary>The averages by the weights' names. A resumed training copies into these tensors.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors => _tensors.Select(t => (t.Name, t.Average));

    /// <summary>Moves the averages towards the weights after a step, counted from 0.</summary>
    public void Update(long step)
    {
        Move(_averages, _weights, 1 - Math.Min(_decay, (1.0 + step) / (10.0 + step)));
    }

    /// <summary>Moves tensors in place by a share of the way towards others, in one native call.</summary>
    public static void Move(Tensor[] from, Tensor[] to, double share)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using Scalar weight = share;    // held, see TensorArithmetic
        Script.invoke("step", from, to, weight);
    }

    /// <summary>Puts the averages into the network, and the weights back when the result is disposed of.</summary>
    public IDisposable Apply()
    {
        Swap();
        return new Applied(this);
    }

    /// <summary>Exchanges the network's weights and the averages.</summary>
    public void Swap()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (_, weight, average) in _tensors)
        {
            var copy = weight.clone();
            weight.copy_(average);
            average.copy_(copy);
        }
    }

    public void Dispose()
    {
        foreach (var (_, _, average) in _tensors)
            average.Dispose();
    }

    private sealed class Applied(WeightAverage average) : IDisposable
    {
        public void Dispose() => average.Swap();
    }
}
