using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class GradientClippingTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(1e6)]
    public void EqualsTorchsClipping(double maxNorm)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var gradients = new long[][] { [6, 4], [9], [2, 3, 3, 3] }.Select(shape => randn(shape, generator: generator)).ToArray();
        var theirs = gradients.Select(g => new Parameter(zeros_like(g)) { grad = g.clone() }).ToArray();

        var norm = TrainingLoop.ClipNorm(gradients, maxNorm).Item();
        var theirNorm = nn.utils.clip_grad_norm_(theirs, maxNorm);

        Assert.Equal(theirNorm, norm, 1e-5);
        foreach (var (ours, their) in gradients.Zip(theirs))
            Assert.True((ours - their.grad!).abs().max().Item() <= 1e-7);
        var clipped = cat([.. gradients.Select(g => g.flatten())]).norm().Item();
        Assert.Equal(Math.Min(norm, maxNorm), clipped, 1e-4);
    }

    [Fact]
    public void HasNothingToDoWithoutGradients()
    {
        using var norm = TrainingLoop.ClipNorm([], 1);
        Assert.Equal(0, norm.Item());
    }
}
