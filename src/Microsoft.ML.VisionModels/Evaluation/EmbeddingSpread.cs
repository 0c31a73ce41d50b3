using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>How vectors are spread over the directions that they could have: what shows that a network gives all images the same.</summary>
/// <param name="Deviation">
/// The mean standard deviation of a coordinate of the vectors, made of length 1, times the root of their length (SimSiam, arXiv
/// 2011.10566): 1 for directions drawn at random, 0 where all are the same.
/// </param>
/// <param name="Uniformity">The logarithm of the mean of exp(-2 d²) over pairs at distance d (arXiv 2005.10242): 0 where all are the same, near -4 where they are spread evenly.</param>
/// <param name="EffectiveRank">The number of directions that the vectors differ in, as the exponential of the entropy of the singular values about their mean (arXiv 2210.02885); 0 where all are the same.</param>
internal sealed record EmbeddingSpread(double Deviation, double Uniformity, double EffectiveRank)
{
    // Below these, what a network tells of images hardly depends on them.
    private const double LeastDeviation = 0.02, LeastRank = 1.5;

    /// <summary>Whether the vectors are nearly the same, or differ in one direction alone.</summary>
    public bool IsCollapsed => Deviation < LeastDeviation || EffectiveRank < LeastRank;

    /// <param name="vectors">[N, D], at least two.</param>
    public static EmbeddingSpread Of(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var unit = F.normalize(vectors.to(ScalarType.Float32), dim: 1);
        var deviation = unit.std(0).mean().Item() * Math.Sqrt(unit.shape[1]);
        var squares = unit.matmul(unit.t()).Mul(-2).Add(2).ClampMin(0);       // of the distances
        var count = unit.shape[0];
        var pairs = squares.Mul(-2).exp().sum().Sub(count).Div(count * (count - 1.0));
        var values = linalg.svdvals(unit - unit.mean([0], keepdim: true));
        var shares = values / values.sum().ClampMin(1e-12);
        var entropy = -(shares * shares.ClampMin(1e-12).log()).sum().Item();
        return new(deviation, Math.Log(Math.Max(pairs.Item(), 1e-300)), values.sum().Item() < 1e-4 * Math.Sqrt(count) ? 0 : Math.Exp(entropy));
    }
}
