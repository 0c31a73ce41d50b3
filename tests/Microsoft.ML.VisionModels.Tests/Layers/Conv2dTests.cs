using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class Conv2dTests
{
    // Every number of outputs: of those that are no multiple of 16, libtorch's own result is wrong on some processors.
    [Theory]
    [InlineData(3, 8)]
    [InlineData(3, 12)]
    [InlineData(3, 16)]
    [InlineData(3, 24)]
    [InlineData(3, 48)]
    [InlineData(12, 12, 12)]
    [InlineData(16, 16, 16)]
    [InlineData(24, 24, 24)]
    public void IsRightInBFloat16(int inputs, int outputs, int groups = 1)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var conv = new Conv2d(inputs, outputs, kernel: 4, stride: 4, groups: groups);
        Initialization.Fill(conv, 0, new Generator(1));
        var x = randn([6, inputs, 16, 16], generator: new Generator(2));
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

    [Fact]
    public void GroupsDoNotSeeEachOther()
    {
        using var scope = NewDisposeScope();
        using var conv = new Conv2d(4, 6, kernel: 3, stride: 2, padding: 1, groups: 2);
        Initialization.Fill(conv, 0, new Generator(1));
        Assert.Equal([6, 2, 3, 3], conv.weight.shape);
        var x = randn([2, 4, 5, 7], generator: new Generator(2));
        Tensor Half(int group) => nn.functional.conv2d(x.narrow(1, 2 * group, 2), conv.weight.narrow(0, 3 * group, 3), conv.bias!.narrow(0, 3 * group, 3), [2, 2], [1, 1]);
        TensorAssert.Close(cat([Half(0), Half(1)], 1), conv.forward(x));
    }

    [Theory]
    [InlineData(1, 1, 1, 3)]
    [InlineData(2, 1, 1, 3)]
    [InlineData(3, 2, 0, 3)]
    [InlineData(2, 2, 1, 5)]
    public void WindowsGiveTheSame(int batch, int stride, int padding, int kernel)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (x, weight, bias) = (randn([batch, 6, 7, 9], generator: new Generator(1)), randn([5, 6, kernel, 3], generator: new Generator(2)), randn([5], generator: new Generator(3)));
        foreach (var offset in new[] { bias, null })
            TensorAssert.Close(nn.functional.conv2d(x, weight, offset, [stride, stride], [padding, padding]), Conv2d.ByWindows(x, weight, offset, [stride, stride], [padding, padding]), 1e-5);
    }

    /// <summary>A layer of more weights than its few outputs are worth ordering them for.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 0.05)]
    public void ManyWeightsAndFewPlaces(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var conv = new Conv2d(512, 1024, kernel: 3, stride: 2, padding: 1);
        Initialization.Fill(conv, 0, new Generator(1));
        var x = randn([2, 512, 5, 4], generator: new Generator(2));
        var expected = nn.functional.conv2d(x, conv.weight, conv.bias, [2, 2], [1, 1]);
        conv.to(type);
        var made = conv.forward(x.to(type));
        Assert.Equal(type, made.dtype);
        TensorAssert.Close(expected, made, tolerance);
    }

    // At the second size oneDNN's own result is wrong on some processors where channels are innermost in memory.
    [Theory]
    [InlineData(2, 3, 5, 4)]
    [InlineData(16, 160, 320, 32)]
    public void AConvolutionOfOnePlaceIsRightInEitherOrderOfMemory(int batch, int inputs, int outputs, int side)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var conv = new Conv2d(inputs, outputs, kernel: 1, stride: 1);
        Initialization.Fill(conv, 0, new Generator(1));
        var x = randn([batch, inputs, side, side], generator: new Generator(2));
        var expected = conv.weight.view(outputs, inputs).to(float64).matmul(x.to(float64).flatten(2)).unflatten(2, side, side).Add(conv.bias!.view(-1, 1, 1));
        foreach (var input in (Tensor[])[x, x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)])
            Assert.InRange((conv.forward(input) - expected).abs().max().item<double>(), 0, 1e-5);
    }

    /// <summary>In training the sizes of ResNets' convolutions, in either order of memory: oneDNN's, which libtorch takes here, was suspected of others on some processors.</summary>
    [Theory]
    [InlineData(2, 3, 8, 48, 7, 2)]
    [InlineData(2, 3, 4, 40, 7, 2)]
    [InlineData(2, 3, 64, 64, 7, 2)]
    [InlineData(2, 3, 32, 32, 3, 1)]
    [InlineData(2, 8, 16, 12, 3, 2)]
    [InlineData(2, 8, 16, 12, 1, 2)]
    [InlineData(2, 64, 64, 2, 3, 1)]
    [InlineData(2, 128, 256, 14, 3, 2)]
    public void GradientsAreThoseOfDoublePrecision(int batch, int inputs, int outputs, int side, int kernel, int stride)
    {
        using var scope = NewDisposeScope();
        var x = randn([batch, inputs, side, side], generator: new Generator(1));
        var expected = Gradients(x.to(float64));
        Assert.All((Tensor[][])[Gradients(x), Gradients(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2))], actual =>
            Assert.All(expected.Zip(actual), pair => Assert.InRange(((pair.First - pair.Second).abs().max() / pair.First.abs().max()).item<double>(), 0, 1e-5)));

        Tensor[] Gradients(Tensor pixels)
        {
            using var conv = new Conv2d(inputs, outputs, kernel, stride, padding: kernel / 2, hasBias: false);
            Initialization.Fill(conv, 0, new Generator(2));
            conv.to(pixels.dtype);
            pixels = pixels.detach().requires_grad_(true);
            var y = conv.forward(pixels);
            y.backward([randn(y.shape, generator: new Generator(3)).to(y.dtype)]);
            return [y.detach(), pixels.grad!, conv.weight.grad!.clone()];
        }
    }
}
