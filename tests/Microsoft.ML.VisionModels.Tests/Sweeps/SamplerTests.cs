using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Tests;

public class SamplerTests(ITestOutputHelper output)
{
    private static readonly TestFunction[] s_functions = [TestFunction.Branin, TestFunction.Hartmann6, TestFunction.Mixed];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void TpeFindsBetterPlacesThanChance(int function)
    {
        var (f, trials) = (s_functions[function], 100);
        var chance = Enumerable.Range(0, 20).Select(seed => f.Best(new RandomSampler(), trials, seed) - f.Minimum).Order().ToArray();
        var tpe = Enumerable.Range(0, 20).Select(seed => f.Best(new TpeSampler(), trials, seed) - f.Minimum).Order().ToArray();
        var refined = Enumerable.Range(0, 20).Select(seed => f.Best(new RefiningSampler(20), trials, seed) - f.Minimum).Order().ToArray();
        output.WriteLine($"{f.Name}, distance from the minimum after {trials} trials, median of 20 seeds: TPE {Median(tpe):G3}, random {Median(chance):G3}, refinement {Median(refined):G3}");
        Assert.True(Median(tpe) < 0.6 * Median(chance));
        Assert.True(Median(refined) < Median(chance));

        static double Median(double[] sorted) => (sorted[9] + sorted[10]) / 2;
    }

    [Fact]
    public void TheGridTriesEveryCombinationOnceAndEnds()
    {
        var space = new Space([new("a", [new NumberDimension("x", 0, 1, 0), new NumberDimension("n", 1, 2, 1, IsInteger: true)]), new("b", [new ChoiceDimension("c", ["p", "q"], "p")])]);
        var (grid, seen) = (new GridSampler(3), new List<SweepTrial>());
        while (grid.Propose(new(space, seen, true), new Random(1)) is { } proposal)
            seen.Add(new() { Number = seen.Count, Candidate = proposal.Candidate, Parameters = proposal.Parameters, State = SweepTrialState.Complete, Score = 1 });
        Assert.Equal(8, seen.Count);
        Assert.Equal(8, seen.Select(trial => trial.Candidate + string.Join(',', trial.Parameters.Values)).Distinct().Count());
        Assert.Equal([0.0, 0.5, 1.0], seen.Where(trial => trial.Candidate == "a").Select(trial => (double)trial.Parameters["x"]).Distinct().Order());
    }

    [Theory]
    [InlineData(1e-5, 1e-1, true, false)]
    [InlineData(-3, 7, false, false)]
    [InlineData(1, 200, true, true)]
    [InlineData(0, 1, false, true)]
    [InlineData(4, 4, false, true)]
    public void ValuesAndPlacesBelongTogether(double low, double high, bool logarithmic, bool integer)
    {
        var dimension = new NumberDimension("x", low, high, low, logarithmic, integer);
        Assert.Equal(low, Convert.ToDouble(dimension.ValueAt(0)), 1e-9);
        Assert.Equal(high, Convert.ToDouble(dimension.ValueAt(1)), 1e-9);
        for (var place = 0.0; place <= 1; place += 0.01)
        {
            var value = dimension.ValueAt(place);
            Assert.InRange(Convert.ToDouble(value), low, high);
            Assert.Equal(Convert.ToDouble(value), Convert.ToDouble(dimension.ValueAt(dimension.PlaceOf(value))), 1e-9);
        }
        if (integer && high > low)
            Assert.Equal(1, Enumerable.Range((int)low, (int)(high - low) + 1).Sum(n => dimension.ShareOf(n).To - dimension.ShareOf(n).From), 1e-9);
    }

    [Fact]
    public void DensitiesAddUpToOne()
    {
        double[] seen = [0, 0.1, 0.12, 0.5, 1];
        var real = Density.Of(new NumberDimension("x", 0, 1, 0), seen);
        Assert.Equal(1, Enumerable.Range(0, 100_000).Sum(i => Math.Exp(real.Log((i + 0.5) / 100_000))) / 100_000, 1e-3);
        var whole = new NumberDimension("n", 1, 7, 1, IsInteger: true);
        var shares = Density.Of(whole, seen);
        Assert.Equal(1, Enumerable.Range(1, 7).Sum(n => Math.Exp(shares.Log(whole.PlaceOf(n)))), 1e-5);
        var choice = Density.Of(new ChoiceDimension("c", ["a", "b", "c"], "a"), [0, 0, 2]);
        Assert.Equal(1, Enumerable.Range(0, 3).Sum(n => Math.Exp(choice.Log(n))), 1e-9);
        Assert.True(choice.Log(0) > choice.Log(2) && choice.Log(2) > choice.Log(1));
    }
}
