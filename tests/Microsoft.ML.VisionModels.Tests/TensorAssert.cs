using TorchSharp;
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

    public static void Close(Tensor expected, Tensor actual, double tolerance = 2e-6)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var scope = NewDisposeScope();
        Close(expected.detach().to(float64).contiguous().data<double>().ToArray(), actual, tolerance);
    }
}
