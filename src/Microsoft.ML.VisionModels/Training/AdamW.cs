using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter, 2019) by libtorch's fused kernel: one native call per group and step, where TorchSharp's own
/// optimizer makes nine per parameter.
/// </summary>
internal sealed class AdamW : IOptimizer
{
    // TorchSharp has no binding for the fused kernel; TorchScript reaches every operator. A function must return something.
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def step(parameters: List[Tensor], gradients: List[Tensor], first: List[Tensor], second: List[Tensor], steps: List[Tensor],
                 lr: float, beta1: float, beta2: float, weight_decay: float, eps: float):
          max_second: List[Tensor] = []
          torch._foreach_add_(steps, 1)
          torch._fused_adamw_(parameters, gradients, first, second, max_second, steps, lr=lr, beta1=beta1, beta2=beta2,
                              weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)
          return steps[0]

        """);

    private readonly IReadOnlyList<(ParameterGroup Group, ParameterState[] States)> _groups;
    private readonly double _beta1, _beta2, _epsilon;

    public AdamW(IReadOnlyList<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        using var noGradients = no_grad();
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
        _groups = [.. groups.Select(group => (group, group.Parameters.Select(ParameterState.Zero).ToArray()))];
    }

    public IEnumerable<Parameter> Parameters => States.Select(s => s.Parameter);

    public IEnumerable<(string Name, Tensor Value)> State => States.SelectMany((s, i) => new[]
    {
        ($"{i}.step", s.Step), ($"{i}.first_moment", s.FirstMoment), ($"{i}.second_moment", s.SecondMoment),
    });

    private IEnumerable<ParameterState> States => _groups.SelectMany(g => g.States);

    public void Step(double rate, double decayShare = 1)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (group, all) in _groups)
        {
            var gradients = all.Select(s => s.Parameter.grad).ToArray();
            var states = all.Where((_, i) => gradients[i] is not null).ToArray();
            if (states.Length == 0)
                continue;
            using Scalar lr = rate * group.RateScale, beta1 = _beta1, beta2 = _beta2, decay = decayShare * group.WeightDecay, eps = _epsilon;     // held, see TensorArithmetic
            Script.invoke("step",
                states.Select(s => (Tensor)s.Parameter).ToArray(), gradients.OfType<Tensor>().ToArray(),
                states.Select(s => s.FirstMoment).ToArray(), states.Select(s => s.SecondMoment).ToArray(), states.Select(s => s.Step).ToArray(),
                lr, beta1, beta2, decay, eps);
        }
    }

    public void Dispose()
    {
        foreach (var state in States)
            state.Dispose();
    }

    /// <param name="Parameter">The parameter; not owned.</param>
    /// <param name="Step">The steps done, a float32 scalar.</param>
    /// <param name="FirstMoment">The running mean of the gradient, shaped as the parameter.</param>
    /// <param name="SecondMoment">The running mean of the squared gradient, shaped as the parameter.</param>
    private sealed record ParameterState(Parameter Parameter, Tensor Step, Tensor FirstMoment, Tensor SecondMoment) : IDisposable
    {
        public static ParameterState Zero(Parameter parameter) => new(
            parameter,
            zeros([], dtype: ScalarType.Float32, device: parameter.device).DetachFromDisposeScope(),
            zeros_like(parameter).DetachFromDisposeScope(),
            zeros_like(parameter).DetachFromDisposeScope());

        public void Dispose()
        {
            Step.Dispose();
            FirstMoment.Dispose();
            SecondMoment.Dispose();
        }
    }
}
