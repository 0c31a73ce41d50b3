using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class Conv2dTests
{
    // Every number of outputs: of those that are no multiple of 16, libtorch's own result is wrong on some processors.
    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(48)]
    public void IsRightInBFloat16(int outputs)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var conv = new Conv2d(3, outputs, kernel: 4, stride: 4);
        Initialization.Fill(conv, 0, new Generator(1));
        var x = randn([6, 3, 16, 16], generator: new Generator(2));
        var expected = conv.forward(x);
        using (MixedPrecision.Begin())
            AssertNear(conv.forward(x));
        conv.to(ScalarType.BFloat16);
        AssertNear(conv.forward(x.to(ScalarType.BFloat16)));

        void AssertNear(Tensor actual)
        {
            Assert.Equal(ScalarType.BFloat16, actual.dtype);
            Assert.InRange(((actual.to(float32) - expected).abs().max() / expected.std()).item<float>(), 0, 0.05f);
        }
    }
}
