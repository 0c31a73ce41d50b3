using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Evaluation;

/// <summary>
/// Classifies vectors by those of known class that are most like them, as DINO's and the instance-discrimination paper's code does (arXiv
/// 1805.01978): the k nearest by cosine vote for their classes, each with the weight exp(cosine / temperature).
/// </summary>
internal static class NearestNeighbors
{
    public const int UsualCount = 20;
    public const double UsualTemperature = 0.07;

    private const int Together = 256;

    /// <param name="vectors">[N, D], of any length.</param>
    /// <param name="known">[M, D].</param>
    /// <param name="classes">The class of each of these, [M] int64.</param>
    /// <param name="count">How many classes there are.</param>
    /// <param name="neighbors">How many vote; all where fewer are known.</param>
    /// <param name="temperature">Above 0.</param>
    /// <param name="others">Whether the vectors are the known ones themselves, each of which the others vote for (leave one out).</param>
    /// <returns>The votes of each class, [N, classes], and the places of those who voted, [N, k], the nearest first.</returns>
    public static (Tensor Votes, Tensor Neighbors) Vote(
        Tensor vectors, Tensor known, Tensor classes, int count, int neighbors = UsualCount, double temperature = UsualTemperature, bool others = false)
    {
        using Scalar never = double.NegativeInfinity;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var bank = F.normalize(known, dim: 1).t();                              // [D, M]
        var nearest = (int)Math.Min(neighbors, known.shape[0] - (others ? 1 : 0));
        var first = 0L;
        var (votes, places) = (new List<Tensor>(), new List<Tensor>());
        foreach (var some in F.normalize(vectors, dim: 1).split(Together))
        {
            using var each = NewDisposeScope();
            var all = some.matmul(bank);                                        // [B, M]
            if (others)
                all.diagonal(first).fill_(never);
            first += some.shape[0];
            var (cosines, rows) = all.topk(nearest, 1);                         // [B, k]
            var weights = cosines.Div(temperature).exp();
            var sums = zeros([some.shape[0], count], weights.dtype, weights.device)
                .scatter_add_(1, classes.index_select(0, rows.flatten()).view_as(rows), weights);
            votes.Add(sums.MoveToOuterDisposeScope());
            places.Add(rows.MoveToOuterDisposeScope());
        }
        return (cat(votes).MoveToOuterDisposeScope(), cat(places).MoveToOuterDisposeScope());
    }

    /// <summary>The share of rows whose class is among the first <paramref name="best"/> of the votes.</summary>
    /// <param name="votes">[N, classes].</param>
    /// <param name="classes">The right ones, [N] int64.</param>
    /// <param name="best">How many may be tried; all where there are fewer classes.</param>
    public static double Accuracy(Tensor votes, Tensor classes, int best = 1)
    {
        using var scope = NewDisposeScope();
        // A class that nobody voted for may be among them; of equal votes the first class counts, as in DINO's code.
        var tried = votes.sort(1, descending: true, stable: true).Indices.narrow(1, 0, Math.Min(best, votes.shape[1]));
        return tried.eq(classes.unsqueeze(1)).any(1).to(ScalarType.Float64).mean().Item();
    }
}
