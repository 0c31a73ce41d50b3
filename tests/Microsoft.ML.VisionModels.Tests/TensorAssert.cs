using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests;

internal static class TensorAssert
{
    /// <summary>Compares all elements, in order, with numbers known from elsewhere.</summary>
    public static void Close(ReadOnlySpan<double> expected, Tensor actual, double tolerance = 2e-6)
    {
        using var scope = NewDisposeScope();
        var values = actual.detach().to(float64).contiguous().data<double>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < values.Length; i++)
            Assert.True(Math.Abs(values[i] - expected[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"Element {i} is {values[i]}, expected {expected[i]}.");
    }

    /// <summary>Fails where a parameter has no gradient, or none but zeros, after a step on images of three classes.</summary>
    public static void EveryParameterLearns(nn.Module<Tensor, Tensor> network, ImageSize size, Generator generator)
    {
        using var scope = NewDisposeScope();
        var pixels = randn(4, 3, size.Height, size.Width, generator: generator);
        nn.functional.cross_entropy(network.forward(pixels), tensor(new long[] { 0, 2, 1, 1 })).backward();
        foreach (var (name, parameter) in network.named_parameters())
        {
            Assert.True(parameter.grad is not null, $"{name} has no gradient.");
            Assert.True(parameter.grad.count_nonzero().item<long>() > 0 && parameter.grad.isfinite().all().item<bool>(), $"The gradient of {name} is zero or not finite: {parameter.grad.abs().max().item<float>()}.");
        }
    }

    public static void Close(Tensor expected, Tensor actual, double tolerance = 2e-6)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var scope = NewDisposeScope();
        Close(expected.detach().to(float64).contiguous().data<double>().ToArray(), actual, tolerance);
    }
}
