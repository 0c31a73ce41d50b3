using TorchSharp;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class EpochOrderTests
{
    [Fact]
    public void IsAPermutationThatDependsOnSeedAndEpochAlone()
    {
        var order = EpochOrder.Shuffle(100, seed: 3, epoch: 4);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i), order.Order());
        Assert.Equal(order, EpochOrder.Shuffle(100, 3, 4));
        Assert.NotEqual(order, EpochOrder.Shuffle(100, 3, 5));
        Assert.NotEqual(order, EpochOrder.Shuffle(100, 4, 3));
        Assert.Empty(EpochOrder.Shuffle(0, 3, 4));
    }

    [Fact]
    public void StreamsOfAnEpochDiffer()
    {
        using var first = EpochOrder.Generator(1, 0, stream: 1);
        using var second = EpochOrder.Generator(1, 0, stream: 2);
        using var a = torch.rand(8, generator: first);
        using var b = torch.rand(8, generator: second);
        Assert.NotEqual(a.data<float>().ToArray(), b.data<float>().ToArray());
    }

    [Fact]
    public void LeavesTheGlobalGeneratorAlone()
    {
        using var before = torch.get_rng_state();
        EpochOrder.Shuffle(100, 1, 1);
        using var after = torch.get_rng_state();
        Assert.True(before.Equals(after));
    }
}
