using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>
/// LARS (You et al., arXiv 1708.03888) for large batches: momentum, and for each matrix a rate in proportion to its own norm over that of
/// its update. As MoCo v3's and MAE's code has it: vectors and scalars have neither weight decay nor such a rate, and the learning rate
/// is applied after the momentum.
/// </summary>
/// <param name="groups">What is trained.</param>
/// <param name="momentum">The share of the last update that goes on.</param>
/// <param name="trust">The trust coefficient.</param>
internal sealed class Lars(IReadOnlyList<ParameterGroup> groups, double momentum = 0.9, double trust = 1e-3) : IOptimizer
{
    private static readonly Scalar s_zero = 0, s_one = 1;       // kept, see TensorArithmetic

    private readonly (ParameterGroup Group, Parameter Parameter, Tensor Buffer)[] _states =
        [.. groups.SelectMany(group => group.Parameters, (group, parameter) => (group, parameter, Zeros(parameter)))];

    public IEnumerable<Parameter> Parameters => _states.Select(state => state.Parameter);

    public IEnumerable<(string Name, Tensor Value)> State => _states.Select((state, i) => ($"{i}.momentum", state.Buffer));

    public void Step(double rate, double decayShare = 1)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using Scalar kept = momentum;
        foreach (var (group, parameter, buffer) in _states)
        {
            if (parameter.grad is not { } update)
                continue;
            if (parameter.dim() > 1)
            {
                update = update.Add(parameter.Mul(decayShare * group.WeightDecay));
                update = update * Trust(parameter, update);
            }
            using Scalar step = -rate * group.RateScale;
            buffer.mul_(kept).add_(update, s_one);
            parameter.add_(buffer, step);
        }
    }

    public void Dispose() => Array.ForEach(_states, state => state.Buffer.Dispose());

    /// <summary>The layer's own rate, a scalar: 1 where parameter or update is 0.</summary>
    private Tensor Trust(Tensor parameter, Tensor update)
    {
        var (size, change) = (parameter.norm(), update.norm());
        return where(size.gt(s_zero).logical_and(change.gt(s_zero)), size.Mul(trust) / change, ones_like(size));
    }

    private static Tensor Zeros(Parameter parameter)
    {
        using var noGradients = no_grad();
        return zeros_like(parameter).DetachFromDisposeScope();
    }
}
