using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

public class NearestNeighborsTests
{
    private const double Temperature = 0.5;

    // Their cosines to (1, 0) are 1, 0.8, 0.6, 0 and -1, whatever their lengths are.
    private static Tensor Known() => tensor(new float[] { 5, 0, 0.8f, 0.6f, 6, -8, 0, 2, -1, 0 }, 5, 2);

    private static Tensor ClassesOfKnown() => tensor((long[])[0, 1, 1, 2, 2]);

    [Theory]
    [InlineData(1, new[] { 1.0 }, new double[0], new double[0])]
    [InlineData(3, new[] { 1.0 }, new[] { 0.8, 0.6 }, new double[0])]
    [InlineData(4, new[] { 1.0 }, new[] { 0.8, 0.6 }, new[] { 0.0 })]
    [InlineData(20, new[] { 1.0 }, new[] { 0.8, 0.6 }, new[] { 0.0, -1.0 })]     // more than are known: all
    public void TheNearestVoteByTheirCosines(int neighbors, params double[][] cosinesOfClasses)
    {
        using var scope = NewDisposeScope();
        var (votes, places) = NearestNeighbors.Vote(tensor(new float[] { 3, 0 }, 1, 2), Known(), ClassesOfKnown(), 3, neighbors, Temperature);
        var expected = cosinesOfClasses.Select(cosines => cosines.Sum(cosine => Math.Exp(cosine / Temperature))).ToArray();
        Assert.All(expected.Zip(votes[0].data<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(Enumerable.Range(0, Math.Min(5, neighbors)).Select(i => (long)i), places[0].data<long>());
    }

    [Fact] // or a batch would tell another story than its rows
    public void ManyRowsVoteAsEachAlone()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        var (rows, known) = (randn(600, 8, generator: generator), randn(50, 8, generator: generator));
        var classes = Arange(50).remainder(tensor(3L));
        var (votes, _) = NearestNeighbors.Vote(rows, known, classes, 3, 7);
        foreach (var row in (long[])[0, 255, 256, 599])
            TensorAssert.Close(NearestNeighbors.Vote(rows[row].unsqueeze(0), known, classes, 3, 7).Votes[0], votes[row], 1e-3);
    }

    [Fact]
    public void LeavingOneOutNoRowVotesForItself()
    {
        using var scope = NewDisposeScope();
        var rows = randn(300, 4, generator: new Generator(1));
        var (votes, places) = NearestNeighbors.Vote(rows, rows, Arange(300), 300, 5, others: true);
        Assert.False(places.eq(Arange(300).unsqueeze(1)).any().item<bool>());
        Assert.Equal(0, NearestNeighbors.Accuracy(votes, Arange(300)));
        Assert.Equal(299, NearestNeighbors.Vote(rows, rows, Arange(300), 300, 1000, others: true).Neighbors.shape[1]);
    }

    [Fact]
    public void AccuracyCountsTheRightAmongTheBest()
    {
        using var scope = NewDisposeScope();
        var votes = tensor(new float[] { 3, 2, 1, 1, 2, 3, 1, 1, 0 }, 3, 3);
        var classes = tensor((long[])[0, 1, 1]);
        Assert.Equal(1 / 3.0, NearestNeighbors.Accuracy(votes, classes), 1e-12);        // of equal votes the first class counts
        Assert.Equal(1, NearestNeighbors.Accuracy(votes, classes, best: 2), 1e-12);
        Assert.Equal(1, NearestNeighbors.Accuracy(votes, classes, best: 5), 1e-12);     // more than there are
    }

    private static Tensor Arange(long count) => TensorArithmetic.Arange(count);
}
