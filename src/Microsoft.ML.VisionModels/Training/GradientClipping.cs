using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Training;

/// <summary>Keeps a step's gradients from exploding.</summary>
internal static class GradientClipping
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def clip_norm(gradients: List[Tensor], max_norm: float):
          norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients, 2)), 2)
          torch._foreach_mul_(gradients, torch.clamp(max_norm / (norm + 1e-6), max=1.0))
          return norm

        """);

    /// <summary>Scales all gradients down together, in place, so that their norm as one vector is at most <paramref name="maxNorm"/>.</summary>
    /// <returns>The norm before, a scalar on the gradients' device; zero where there are no gradients.</returns>
    public static Tensor ClipNorm(Tensor[] gradients, double maxNorm)
    {
        using var noGradients = no_grad();
        using Scalar bound = maxNorm;   // held, see TensorArithmetic
        return gradients.Length == 0 ? zeros([]) : Script.invoke<Tensor>("clip_norm", gradients, bound);
    }
}
