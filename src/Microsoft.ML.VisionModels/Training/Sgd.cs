using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Stochastic gradient descent with momentum, as torch.optim.SGD computes it: weight decay is added to the gradient, and the first step's gradient is the momentum's start.</summary>
internal sealed class Sgd : IOptimizer
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def step(parameters: List[Tensor], gradients: List[Tensor], buffers: List[Tensor], lr: float, momentum: float, weight_decay: float):
          decayed = torch._foreach_add(gradients, parameters, alpha=weight_decay)
          torch._foreach_mul_(buffers, momentum)
          torch._foreach_add_(buffers, decayed)
          torch._foreach_add_(parameters, buffers, alpha=-lr)
          return buffers[0]

        """);

    private readonly IReadOnlyList<(ParameterGroup Group, (Parameter Parameter, Tensor Buffer)[] States)> _groups;
    private readonly double _momentum;

    public Sgd(IReadOnlyList<ParameterGroup> groups, double momentum = 0.9)
    {
        using var noGradients = no_grad();
        _momentum = momentum;
        // A buffer of zeros, times the momentum, plus the gradient: the first step's gradient.
        _groups = [.. groups.Select(group => (group, group.Parameters.Select(parameter => (parameter, zeros_like(parameter).DetachFromDisposeScope())).ToArray()))];
    }

    public IEnumerable<Parameter> Parameters => _groups.SelectMany(g => g.States).Select(s => s.Parameter);

    public IEnumerable<(string Name, Tensor Value)> State => _groups.SelectMany(g => g.States).Select((s, i) => ($"{i}.momentum", s.Buffer));

    public void Step(double rate, double decayShare = 1)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (group, all) in _groups)
        {
            var states = all.Where(s => s.Parameter.grad is not null).ToArray();
            if (states.Length == 0)
                continue;
            using Scalar lr = rate * group.RateScale, momentum = _momentum, decay = decayShare * group.WeightDecay;     // held, see TensorArithmetic
            Script.invoke("step", states.Select(s => (Tensor)s.Parameter).ToArray(), states.Select(s => s.Parameter.grad!).ToArray(),
                states.Select(s => s.Buffer).ToArray(), lr, momentum, decay);
        }
    }

    public void Dispose()
    {
        foreach (var (_, states) in _groups)
            Array.ForEach(states, state => state.Buffer.Dispose());
    }
}
