using Microsoft.ML.VisionModels.Sweeps;

namespace Microsoft.ML.VisionModels.Tests;

public class PrunerTests
{
    private static SweepTrial Trial(int number, SweepTrialState state, params double[] scores) => new()
    {
        Number = number, Candidate = "only", Parameters = new Dictionary<string, object>(), State = state, Score = scores.LastOrDefault(),
        Epochs = [.. scores.Select((score, i) => new SweepEpoch(i + 1, score, i))],
    };

    private static readonly SweepTrial[] Many = [.. Enumerable.Range(1000, 300).Select(i => Trial(i, SweepTrialState.Complete, [.. Enumerable.Repeat(0.9, 32)]))];

    [Fact]
    public void HalvingLetsTheBestQuarterGoOnAtItsRungs()
    {
        var pruner = new AshaPruner();
        var others = Enumerable.Range(0, 7).Select(i => Trial(i, SweepTrialState.Pruned, i / 10.0)).ToArray();      // 0 to 0.6 after an epoch
        Assert.True(pruner.ShouldStop(Trial(7, SweepTrialState.Running, 0.45), 16, others));
        Assert.False(pruner.ShouldStop(Trial(7, SweepTrialState.Running, 0.55), 16, others));                        // the second of eight
        Assert.False(pruner.ShouldStop(Trial(7, SweepTrialState.Running, 0.1, 0.1), 16, others));                    // 2 is no rung
        Assert.False(pruner.ShouldStop(Trial(7, SweepTrialState.Running, 0.1), 1, others));                          // it is over anyway
        Assert.False(pruner.ShouldStop(Trial(7, SweepTrialState.Running, 0.1), 16, []));                             // the first
        Assert.True(pruner.ShouldStop(Trial(7, SweepTrialState.Running, 0.1, 0.1, 0.1, 0.1), 16, [Trial(0, SweepTrialState.Running, 0, 0, 0, 0.2)]));
    }

    [Fact]
    public void NoTrialIsEndedInItsGrace()
    {
        var others = Enumerable.Range(0, 8).Select(i => Trial(i, SweepTrialState.Complete, [.. Enumerable.Repeat(0.9, 32)])).ToArray();
        foreach (var pruner in new[] { SweepPruner.Asha, SweepPruner.Median })
        {
            Assert.Equal(3, FirstEnd(pruner, grace: 3));
            Assert.Equal(1, FirstEnd(pruner, grace: 1));
        }
        Assert.Equal([3, 9, 27], Enumerable.Range(0, 60).Select(number => FirstEnd(SweepPruner.Hyperband, 3, number)).Distinct().Order());

        int FirstEnd(SweepPruner pruner, int grace, int number = 100) => Enumerable.Range(1, 32).First(epochs => epochs == 32 || IPruner.Of(new SweepOptions { Pruner = pruner, GraceEpochs = grace })!
            .ShouldStop(Trial(number, SweepTrialState.Running, [.. Enumerable.Repeat(0.1, epochs)]), 32, pruner == SweepPruner.Hyperband ? Many : others));
    }

    [Fact]
    public void TheMedianOfFiveEndsTheWorseHalf()
    {
        var others = Enumerable.Range(0, 5).Select(i => Trial(i, SweepTrialState.Complete, i / 10.0, 0.9)).ToArray();
        Assert.True(new MedianPruner().ShouldStop(Trial(5, SweepTrialState.Running, 0.19), 2, others));
        Assert.False(new MedianPruner().ShouldStop(Trial(5, SweepTrialState.Running, 0.2), 2, others));
        Assert.False(new MedianPruner().ShouldStop(Trial(5, SweepTrialState.Running, 0), 2, others[1..]));           // only four are complete
    }

    [Fact]
    public void BracketsOfHyperbandBeginLaterAndLater()
    {
        // All others were better after each epoch: a trial ends at the first rung of its bracket.
        var others = Enumerable.Range(1000, 300).Select(i => Trial(i, SweepTrialState.Complete, [.. Enumerable.Repeat(0.9, 27)])).ToArray();
        var ends = Enumerable.Range(0, 100).Select(number => Enumerable.Range(1, 27).First(epochs =>
            epochs == 27 || new HyperbandPruner().ShouldStop(Trial(number, SweepTrialState.Running, [.. Enumerable.Repeat(0.1, epochs)]), 27, others))).CountBy(end => end).ToDictionary();
        Assert.Equal([1, 3, 9, 27], ends.Keys.Order());
        Assert.True(ends[1] > ends[3] && ends[3] > ends[9]);
    }
}
