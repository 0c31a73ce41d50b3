using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;
using ConvTranspose2d = Microsoft.ML.VisionModels.Layers.ConvTranspose2d;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class ConvTranspose2dTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void IsLibtorchs(int stride)
    {
        using var scope = NewDisposeScope();
        using var conv = new ConvTranspose2d(6, 4, stride);
        Initialization.Fill(conv, 0, new Generator(1));
        Initialization.Normal(conv.bias, 1, new Generator(2));
        var x = randn([2, 6, 5, 7], generator: new Generator(3));
        TensorAssert.Close(nn.functional.conv_transpose2d(x, conv.weight, conv.bias, strides: [stride, stride]), conv.forward(x));
    }
}
