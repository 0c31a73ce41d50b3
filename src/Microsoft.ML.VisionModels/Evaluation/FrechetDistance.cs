using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>
/// How far two sets of vectors are from each other, each taken for a normal distribution: the square of the distance of Fréchet
/// (arXiv 1706.08500, equation 6), which is "FID" where the vectors are Inception's.
/// </summary>
internal static class FrechetDistance
{
    /// <param name="first">[N, D], at least two.</param>
    /// <param name="second">[M, D], at least two.</param>
    public static double Between(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var ((mean, covariance), (otherMean, otherCovariance)) = (Normal(first), Normal(second));
        var between = mean - otherMean;
        // tr (A B)^(1/2) by the eigenvalues of A^(1/2) B A^(1/2), which are the same and, of a symmetric matrix, real.
        var root = Root(covariance);
        var values = linalg.eigvalsh(root.matmul(otherCovariance).matmul(root)).ClampMin(0);
        return Math.Max(0, (between * between).sum().Item() + covariance.trace().Item() + otherCovariance.trace().Item() - 2 * values.sqrt().sum().Item());
    }

    private static (Tensor Mean, Tensor Covariance) Normal(Tensor vectors)
    {
        var x = vectors.to(ScalarType.Float64);
        var mean = x.mean([0], keepdim: true);
        var centered = x - mean;
        return (mean, centered.t().matmul(centered).Div(x.shape[0] - 1.0));
    }

    /// <summary>The symmetric matrix whose square is a given one.</summary>
    private static Tensor Root(Tensor matrix)
    {
        var (values, vectors) = linalg.eigh(matrix);
        return (vectors * values.ClampMin(0).sqrt()).matmul(vectors.t());
    }
}
