using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Sam;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Sam;

public class MaskEnlargerTests
{
    [Theory]
    [InlineData(64, 64, 48, 200, 150)]
    [InlineData(64, 33, 64, 33, 64)]
    [InlineData(64, 64, 5, 300, 23)]
    [InlineData(64, 64, 41, 20, 13)]        // smaller than the network saw it
    [InlineData(64, 1, 1, 1, 1)]
    public void IsTheTensorsOfTheReference(int padded, int width, int height, int pictureWidth, int pictureHeight)
    {
        using var scope = NewDisposeScope();
        var logits = randn(16, 16, generator: new Generator(3));
        var (mask, stability) = new MaskEnlarger(padded, new(height, width), new(pictureHeight, pictureWidth)).Enlarge(logits, 0.1f, 0.3f);

        var large = nn.functional.interpolate(logits.view(1, 1, 16, 16), [padded, padded], mode: InterpolationMode.Bilinear, align_corners: false).narrow(2, 0, height).narrow(3, 0, width);
        large = nn.functional.interpolate(large, [pictureHeight, pictureWidth], mode: InterpolationMode.Bilinear, align_corners: false)[0];
        var expected = RunLengthMask.FromLogits(large, 0.1)[0];
        var different = expected.Area + mask.Area - 2 * expected.IntersectionArea(mask);
        Assert.True(different <= 1, $"{different} pixels differ.");     // a value on the threshold may round to either side
        Assert.Equal(StabilityScore.Of(large, 0.1, 0.3)[0], stability, 2f / pictureWidth / pictureHeight + 1e-3f);
    }

    [Fact]
    public void NothingAboveTheThresholdIsEmpty()
    {
        using var scope = NewDisposeScope();
        var (mask, stability) = new MaskEnlarger(16, 16, new(9, 7)).Enlarge(ones(4, 4).Times(-5));
        Assert.True(mask.IsEmpty);
        Assert.True(float.IsNaN(stability));
    }
}
