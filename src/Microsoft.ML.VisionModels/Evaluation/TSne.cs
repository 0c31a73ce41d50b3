using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>
/// t-SNE (van der Maaten and Hinton 2008): places in the plane whose neighborhoods are those of the vectors. Exact, so that time and memory
/// go with the square of the number of rows. As in later practice it starts from the two principal components (Kobak and Berens 2019),
/// which makes the map as a whole mean something, with a learning rate that grows with the number of rows (Belkina et al. 2019).
/// </summary>
internal static class TSne
{
    private const int Bisections = 50, ExaggeratedSteps = 250;
    private const double Exaggeration = 12, FirstSpread = 1e-4;

    /// <param name="vectors">[N, D]; at least three.</param>
    /// <param name="perplexity">How many neighbors a row has, about; a third of the other rows where there are fewer than three times as many.</param>
    /// <param name="steps">How many steps of gradient descent.</param>
    /// <param name="seed">Of the little noise that rows of equal places start with.</param>
    /// <param name="afterStep">Is told how many steps are done; may throw.</param>
    /// <returns>Their places, [N, 2].</returns>
    public static Tensor Map(Tensor vectors, double perplexity, int steps, int seed, Action<int>? afterStep = null)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var rows = vectors.shape[0];
        var affinities = Affinities(SquaredDistances(vectors), Math.Min(perplexity, (rows - 1) / 3.0));
        var places = PrincipalComponents.Of(vectors, 2);
        places = (places / places.std(0)[0].ClampMin(1e-12)).Add(randn(rows, 2, generator: new Generator((ulong)seed)).Mul(0.01)).Mul(FirstSpread);
        var exaggerated = affinities.Mul(Exaggeration);
        var (velocity, gains) = (zeros_like(places), ones_like(places));
        var rate = Math.Max(rows / Exaggeration / 4, 50);
        for (var step = 0; step < steps; step++)
        {
            using var each = NewDisposeScope();
            var early = step < ExaggeratedSteps;
            var gradient = Gradient(early ? exaggerated : affinities, places);
            // A place that keeps its direction goes faster, as in the authors' code.
            var turned = gradient.sign().eq(velocity.sign());
            gains.copy_(where(turned, gains.Mul(0.8), gains.Add(0.2)).ClampMin(0.01));
            velocity.copy_(velocity.Mul(early ? 0.5 : 0.8) - (gains * gradient).Mul(rate));
            places.copy_(places.Add(velocity));
            afterStep?.Invoke(step + 1);
        }
        return (places - places.mean([0], keepdim: true)).MoveToOuterDisposeScope();
    }

    /// <summary>The probabilities p_ij that rows are neighbors, [N, N], with the widths of which each row's have the perplexity.</summary>
    private static Tensor Affinities(Tensor squares, double perplexity)
    {
        using var scope = NewDisposeScope();
        using Scalar none = double.PositiveInfinity, target = Math.Log(perplexity);
        var rows = squares.shape[0];
        squares.diagonal().fill_(none);
        squares = squares - squares.amin([1], keepdim: true);       // the nearest at 0, so that no row's are all too small
        var finite = squares.isfinite();
        var (low, high) = (zeros(rows, 1), full_like(zeros(rows, 1), none));
        var precision = ones(rows, 1) / where(finite, squares, zeros_like(squares)).mean([1], keepdim: true).ClampMin(1e-12);
        for (var i = 0; i < Bisections; i++)
        {
            using var each = NewDisposeScope();
            var p = Conditional();
            var entropy = -(p * p.ClampMin(1e-30).log()).sum(1, keepdim: true);
            var isWide = entropy.gt(target);
            low.copy_(where(isWide, precision, low));
            high.copy_(where(isWide, high, precision));
            precision.copy_(where(high.isfinite(), low.Add(high).Div(2), precision.Mul(2)));
        }
        var conditional = Conditional();
        return conditional.Add(conditional.t()).Div(2.0 * rows).MoveToOuterDisposeScope();

        Tensor Conditional() => (-precision * squares).softmax(1);
    }

    /// <summary>4 Σ_j (p_ij - q_ij)(y_i - y_j) / (1 + |y_i - y_j|²), [N, 2].</summary>
    private static Tensor Gradient(Tensor affinities, Tensor places)
    {
        using Scalar none = 0;
        var near = SquaredDistances(places, 1).reciprocal_();       // 1 / (1 + d²), [N, N]
        near.diagonal().fill_(none);
        var weights = (affinities - near / near.sum()).mul_(near);
        return (weights.sum(1, keepdim: true) * places - weights.matmul(places)).Mul(4);
    }

    /// <summary>|x_i - x_j|² and a number, [N, N]; in one matrix, as taking memory costs more than the sums.</summary>
    private static Tensor SquaredDistances(Tensor x, double plus = 0)
    {
        using Scalar one = 1, factor = -2, least = plus;
        var squares = (x * x).sum(1, keepdim: true).Add(plus / 2);
        return x.matmul(x.t()).mul_(factor).add_(squares, one).add_(squares.t(), one).clamp_min_(least);
    }
}
