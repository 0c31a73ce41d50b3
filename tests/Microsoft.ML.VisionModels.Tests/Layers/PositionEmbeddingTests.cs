using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Layers;

public class PositionEmbeddingTests
{
    // One prefix row, then a grid of 2 x 3.
    private static readonly float[] s_positions = [100, 1, 2, 4, 8, 16, 32];

    public static TheoryData<string, int, int, double[]> PyTorch => new()
    {
        { "Size", 3, 5, [0.3546945155, 0.4880974889, 0.7847223878, 1.2932223082, 1.6447777748, 4.0680007935, 5.5980029106, 9.0000009537, 14.8320007324, 18.8640003204, 7.7813067436, 10.7079086304, 17.2152786255, 28.3707771301, 36.0832214355] },
        { "ScaleFactor", 3, 5, [0.3337391913, 0.4558995963, 0.7157284617, 1.1882531643, 1.5383102894, 3.8326184750, 5.2354936600, 8.2193355560, 13.6457509994, 17.6657600403, 7.6420187950, 10.4392709732, 16.3888778687, 27.2088375092, 35.2245025635] },
        { "Size", 1, 2, [5.203125, 16.119140625] },
        { "AntialiasedSize", 3, 5, [0.4987586892, 0.6803809898, 1.0789473684, 1.8036135114, 2.2393247269, 4.1603773585, 5.6753731343, 9.0000000000, 15.0447761194, 18.6792452830, 7.8219960278, 10.6703652789, 16.9210526316, 28.2859387274, 35.1191658391] },
        { "AntialiasedSize", 1, 2, [5.7134831461, 15.0313001605] },
        { "ScaleFactor", 1, 2, [4.3021569252, 12.7991552353] },
    };

    [Theory, MemberData(nameof(PyTorch))]
    public void EqualsPyTorchsBicubic(string rule, int height, int width, double[] expected)
    {
        using var scope = NewDisposeScope();
        var positions = tensor(s_positions).view(1, 7, 1);
        var resized = PositionEmbedding.Interpolate(positions, new(2, 3), new(height, width), Enum.Parse<PositionInterpolation>(rule));
        Assert.Equal([1, 1 + height * width, 1], resized.shape);
        TensorAssert.Close([100, .. expected], resized, 1e-5);
    }

    [Fact]
    public void TheNativeGridIsLeftAlone()
    {
        using var positions = tensor(s_positions).view(1, 7, 1);
        Assert.Same(positions, PositionEmbedding.Interpolate(positions, new(2, 3), new(2, 3), PositionInterpolation.Size));
        using var moved = PositionEmbedding.Interpolate(positions, new(2, 3), new(2, 3), PositionInterpolation.ScaleFactor);
        Assert.Equal(positions.shape, moved.shape);
        Assert.False(positions.allclose(moved, rtol: 1e-3));
    }

    [Fact]
    public void WorksWithoutPrefixTokens()
    {
        using var scope = NewDisposeScope();
        var resized = PositionEmbedding.Interpolate(tensor(s_positions[1..]).view(1, 6, 1), new(2, 3), new(1, 2), PositionInterpolation.Size);
        TensorAssert.Close([5.203125, 16.119140625], resized);
    }
}
