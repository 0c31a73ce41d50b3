using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class LinearProductTests
{
    // oneDNN is called by itself, for on most processors the product would not choose it.
    [Theory]
    [InlineData(new long[] { 1 }, 3, 5)]
    [InlineData(new long[] { 50 }, 768, 3072)]
    [InlineData(new long[] { 2, 197 }, 192, 576)]
    [InlineData(new long[] { 1, 64, 64 }, 160, 320)]
    [InlineData(new long[] { 16, 32, 32 }, 160, 320)]
    public void OneDnnGivesTheSame(long[] rows, int inputs, int outputs)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        var (x, bias) = (randn([.. rows, inputs], generator: generator, requires_grad: true), randn([outputs], generator: generator, requires_grad: true));
        var weight = randn([outputs, inputs], generator: generator).Div(Math.Sqrt(inputs)).requires_grad_();
        var upstream = randn([.. rows, outputs], generator: generator);

        var (expected, actual) = (nn.functional.linear(x, weight, bias), LinearProduct.ByOneDnn(x, weight, bias));
        TensorAssert.Close(expected, actual, 1e-5);
        foreach (var (wanted, got) in autograd.grad([expected], [x, weight, bias], [upstream]).Zip(autograd.grad([actual], [x, weight, bias], [upstream])))
            Assert.InRange(((got - wanted).abs().max() / wanted.abs().max()).item<float>(), 0, 1e-5f);
    }

    [Fact]
    public void OneDnnTakesWhatLiesOtherwiseInMemory()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (x, weight) = (randn([2, 96, 8, 8], generator: new Generator(1)).permute(0, 2, 3, 1), randn([96, 96], generator: new Generator(2)));
        TensorAssert.Close(nn.functional.linear(x, weight.narrow(0, 32, 64)), LinearProduct.ByOneDnn(x, weight.narrow(0, 32, 64), null), 1e-4);
    }

    [Fact]
    public void PartsGiveTheWhole()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var (x, weight, bias) = (randn([2, 5, 7, 96], generator: new Generator(1)), randn([64, 96], generator: new Generator(2)), randn([64], generator: new Generator(3)));
        TensorAssert.Close(nn.functional.linear(x, weight, bias), LinearProduct.InParts(x, weight, bias, rowsAtOnce: 16), 1e-4);
    }
}
