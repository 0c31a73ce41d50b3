using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class BatchNormTests
{
    public static TheoryData<long[]> Shapes => [new long[] { 6, 3 }, new long[] { 2, 3, 4, 5 }];

    [Theory, MemberData(nameof(Shapes))]
    public void TrainsByTheBatchAndScoresByWhatItLeft(long[] shape)
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNorm(3);
        var x = randn(shape, generator: new Generator(1)).Mul(3).Add(2);
        var values = x.transpose(0, 1).flatten(1);                                         // [C, N]
        var (mean, count) = (values.mean([1]), values.shape[1]);
        var centered = values - mean.unsqueeze(1);
        var squares = (centered * centered).sum([1]);
        norm.train();
        var y = norm.forward(x).transpose(0, 1).flatten(1);
        TensorAssert.Close(centered / squares.Div(count).Add(1e-5).sqrt().unsqueeze(1), y, 1e-5);

        // A tenth of the batch's; of the variance, that which is not biased.
        var (running, variance) = (mean.Mul(0.1), squares.Div(count - 1).Mul(0.1).Add(0.9));
        TensorAssert.Close(running, norm.running_mean, 1e-5);
        TensorAssert.Close(variance, norm.running_var, 1e-5);
        norm.eval();
        TensorAssert.Close((values - running.unsqueeze(1)) / variance.Add(1e-5).sqrt().unsqueeze(1), norm.forward(x).transpose(0, 1).flatten(1), 1e-5);
        TensorAssert.Close(running, norm.running_mean, 1e-5);
    }

    [Fact]
    public void HasFactorsAndOffsetsOnlyWhereTheyAreWanted()
    {
        using var scope = NewDisposeScope();
        using var affine = new BatchNorm(3);
        using var plain = new BatchNorm(3, affine: false);
        Assert.Equal(["bias", "running_mean", "running_var", "weight"], affine.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["running_mean", "running_var"], plain.state_dict().Keys.Order(StringComparer.Ordinal));
        var x = randn([5, 3], generator: new Generator(1));
        TensorAssert.Close(affine.forward(x), plain.forward(x));
    }

    [Fact]
    public void FixedStatisticsStayAndAreUsed()
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNorm(3) { FixedStatistics = true };
        norm.train();
        var x = randn([5, 3], generator: new Generator(1)).Add(4);
        TensorAssert.Close(x, norm.forward(x), 1e-4);
        TensorAssert.Close(zeros(3), norm.running_mean);
        TensorAssert.Close(ones(3), norm.running_var);
    }

    /// <summary>One vector has no variance: it is normalized by what is known, and counts for nothing.</summary>
    [Fact]
    public void ASingleValueIsNoBatch()
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNorm(3);
        norm.train();
        foreach (var x in (Tensor[])[ones(1, 3), ones(1, 3, 1, 1)])
            TensorAssert.Close(x, norm.forward(x), 1e-4);
        TensorAssert.Close(zeros(3), norm.running_mean);
    }

    [Fact]
    public void ABatchIsCountedOnceUnderGradientCheckpointing()
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNorm(3);
        norm.train();
        GradientCheckpointing.Run(norm, norm.forward, ones(4, 3).cumsum(0), null).exp().sum().backward();
        GradientCheckpointing.ThrowIfFailed();
        TensorAssert.Close(ones(3).Mul(0.25), norm.running_mean);
        Assert.NotNull(norm.weight!.grad);
        Assert.False(GradientCheckpointing.IsSecondPass);
    }

    /// <summary>Sums over a batch are of 32 bits where products are of 16.</summary>
    [Fact]
    public void ComputesIn32BitsInMixedPrecision()
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNorm(3);
        using var mixed = MixedPrecision.Begin();
        Assert.Equal(ScalarType.Float32, norm.forward(randn([5, 3]).to(bfloat16)).dtype);
    }
}
