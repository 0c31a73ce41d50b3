using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Evaluation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

public class EmbeddingSpreadTests
{
    [Fact]
    public void EqualVectorsHaveCollapsed()
    {
        using var scope = NewDisposeScope();
        var spread = EmbeddingSpread.Of(randn(1, 16, generator: new Generator(1)).expand(200, 16));
        Assert.Equal(0, spread.Deviation, 1e-5);
        Assert.Equal(0, spread.Uniformity, 1e-5);
        Assert.Equal(0, spread.EffectiveRank);
        Assert.True(spread.IsCollapsed);
    }

    [Fact] // lengths do not matter, only directions
    public void VectorsOfOneDirectionHaveCollapsed()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        Assert.True(EmbeddingSpread.Of(rand(200, 1, generator: generator).Add(0.1) * randn(1, 16, generator: generator)).IsCollapsed);
    }

    [Fact]
    public void RandomDirectionsAreSpreadEvenly()
    {
        using var scope = NewDisposeScope();
        var spread = EmbeddingSpread.Of(randn(2000, 32, generator: new Generator(1)));
        Assert.InRange(spread.Deviation, 0.98, 1.02);
        Assert.InRange(spread.EffectiveRank, 31, 32);
        // exp(-2 d²) = exp(-4) exp(4 cosine), and the cosine of random directions is about normal with variance 1 / 32.
        Assert.Equal(-4 + 16 / 2.0 / 32, spread.Uniformity, 0.03);
        Assert.False(spread.IsCollapsed);
    }

    [Fact]
    public void ALineHasTheRankOne()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        // Small steps from one direction, all along the same line; on the sphere it bends a little.
        var spread = EmbeddingSpread.Of(randn(1, 16, generator: generator).Add(randn(200, 1, generator: generator).Mul(0.05) * randn(1, 16, generator: generator)));
        Assert.InRange(spread.EffectiveRank, 1, 1.2);
        Assert.True(spread.IsCollapsed);
    }

    [Fact]
    public void HalfTheDirectionsHaveHalfTheRank()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        var spread = EmbeddingSpread.Of(randn(1000, 8, generator: generator).matmul(randn(8, 16, generator: generator)));
        Assert.InRange(spread.EffectiveRank, 5, 8);
    }
}
