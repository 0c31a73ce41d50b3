using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Report;

/// <summary>
/// How much each hyper-parameter has to do with the score: how different the density of its values among the best quarter of the
/// trials is from that among all of them, as Pearson's divergence (PED-ANOVA, Watanabe et al., arXiv 2304.10255).
/// </summary>
internal static class ParameterImportance
{
    public const int FewestTrials = 8;
    private const double Quantile = 0.25;
    private const int Steps = 64;

    /// <summary>The shares of the dimensions, the largest first, which add up to 1; none where there are too few trials.</summary>
    /// <param name="dimensions">The dimensions.</param>
    /// <param name="ranked">Trials with all of them, the best first.</param>
    public static IReadOnlyList<(string Name, double Share)> Of(IReadOnlyList<Dimension> dimensions, IReadOnlyList<SweepTrial> ranked)
    {
        if (ranked.Count < FewestTrials)
            return [];
        var best = ranked.Take((int)Math.Ceiling(Quantile * ranked.Count)).ToArray();
        var divergences = dimensions.Select(dimension => (dimension.Name, Divergence: Divergence(dimension, best, ranked))).ToArray();
        var sum = divergences.Sum(each => each.Divergence);
        return sum <= 0 ? [] : [.. divergences.Select(each => (each.Name, each.Divergence / sum)).OrderByDescending(each => each.Item2)];
    }

    private static double Divergence(Dimension dimension, IReadOnlyList<SweepTrial> best, IReadOnlyList<SweepTrial> all)
    {
        var (ofBest, ofAll) = (Density.Of(dimension, Places(best)), Density.Of(dimension, Places(all)));
        // Of a continuous dimension the middle of each step stands for it.
        double[] places = dimension.Count is { } count && count <= Steps
            ? [.. Enumerable.Range(0, count).Select(i => dimension is ChoiceDimension ? i : (i + 0.5) / count)]
            : [.. Enumerable.Range(0, Steps).Select(i => (i + 0.5) / Steps)];
        var weights = Shares(ofAll);
        return Shares(ofBest).Zip(weights, (b, a) => a * Math.Pow(b / a - 1, 2)).Sum();

        double[] Places(IEnumerable<SweepTrial> trials) => [.. trials.OrderBy(trial => trial.Number).Select(trial => dimension.PlaceOf(trial.Parameters[dimension.Name]))];

        double[] Shares(Density density)
        {
            var values = Array.ConvertAll(places, place => Math.Exp(density.Log(place)));
            return Array.ConvertAll(values, value => value / values.Sum());
        }
    }
}
