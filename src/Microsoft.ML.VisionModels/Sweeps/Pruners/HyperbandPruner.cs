using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Sweeps.Pruners;

/// <summary>
/// Hyperband (Li et al., arXiv 1603.06560) over asynchronous halving: the trials are dealt out to brackets whose first rungs are 1, 3,
/// 9… epochs, so that late bloomers have a chance in some. Each bracket is judged by itself.
/// </summary>
/// <param name="grace">The first rung of the first bracket; the others' are multiples.</param>
internal sealed class HyperbandPruner(int grace = 1) : IPruner
{
    private const int Reduction = 3;

    public bool ShouldStop(SweepTrial trial, int epochs, IReadOnlyList<SweepTrial> others)
    {
        var brackets = 1 + (int)Math.Floor(Math.Log(Math.Max(1, epochs / (double)grace)) / Math.Log(Reduction) + 1e-9);
        var own = BracketOf(trial, brackets);
        var first = grace * (int)Math.Round(Math.Pow(Reduction, own));
        return new AshaPruner(first, Reduction).ShouldStop(trial, epochs, [.. others.Where(other => BracketOf(other, brackets) == own)]);
    }

    /// <summary>Brackets with a small first rung, whose trials are cheap, get the more of them.</summary>
    private static int BracketOf(SweepTrial trial, int brackets)
    {
        var shares = Enumerable.Range(0, brackets).Select(b => (int)Math.Ceiling(brackets * Math.Pow(Reduction, brackets - 1 - b) / (brackets - b))).ToArray();
        // Dealt by a hash of the number: neighbors are in different brackets.
        var place = (int)(unchecked((uint)trial.Number * 2654435761u) % (uint)shares.Sum());
        var bracket = 0;
        for (; place >= shares[bracket]; bracket++)
            place -= shares[bracket];
        return bracket;
    }
}
