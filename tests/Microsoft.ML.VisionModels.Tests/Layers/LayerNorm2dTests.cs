using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class LayerNorm2dTests
{
    [Fact]
    public void ChannelsAreNormalizedAtEachPlace()
    {
        using var scope = NewDisposeScope();
        using var norm = new LayerNorm2d(5);
        Initialization.Normal(norm.weight, 1, new Generator(1));
        Initialization.Normal(norm.bias, 1, new Generator(2));
        // Small numbers, so that the epsilon of 1e-6 counts.
        var x = randn(2, 5, 3, 4, generator: new Generator(3)).Mul(2e-3).Add(1).to(float64);
        var centered = x - x.mean([1], keepdim: true);
        var expected = (centered / (centered * centered).mean([1], keepdim: true).Add(1e-6).sqrt() * norm.weight.view(5, 1, 1)).Add(norm.bias.view(5, 1, 1));
        TensorAssert.Close(expected, norm.forward(x.to(float32)), 1e-3);
        norm.to(ScalarType.Float64);
        TensorAssert.Close(expected, norm.forward(x), 1e-12);
        Assert.Equal(["weight", "bias"], norm.named_parameters().Select(parameter => parameter.name));
    }
}
