using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Sam;
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
    public void IsTheTensorsOfTheReference(int padded, int width, int height, int imageWidth, int imageHeight)
    {
        using var scope = NewDisposeScope();
        var logits = randn(16, 16, generator: new Generator(3));
        var (mask, stability) = new MaskEnlarger(padded, new(height, width), new(imageHeight, imageWidth)).Enlarge(logits, 0.1f, 0.3f);

        var large = nn.functional.interpolate(logits.view(1, 1, 16, 16), [padded, padded], mode: InterpolationMode.Bilinear, align_corners: false).narrow(2, 0, height).narrow(3, 0, width);
        large = nn.functional.interpolate(large, [imageHeight, imageWidth], mode: InterpolationMode.Bilinear, align_corners: false)[0];
        var expected = RunLengthMask.FromLogits(large, 0.1)[0];
        var different = expected.Area + mask.Area - 2 * expected.IntersectionArea(mask);
        Assert.True(different <= 1, $"{different} pixels differ.");     // a value on the threshold may round to either side
        Assert.Equal(RunLengthMask.FromLogits(large, 0.4)[0].Area / (float)RunLengthMask.FromLogits(large, -0.2)[0].Area, stability, 2f / imageWidth / imageHeight + 1e-3f);
    }

    [Theory]
    [InlineData(-5, 0, float.NaN)]
    [InlineData(-0.5, 0, 0)]
    [InlineData(0.5, 9 * 7, 0)]
    [InlineData(5, 9 * 7, 1)]
    public void AMaskWithoutEdgesIsAllOrNothing(float logit, int area, float stability)
    {
        using var scope = NewDisposeScope();
        var enlarged = new MaskEnlarger(16, 16, new(9, 7)).Enlarge(ones(4, 4).Mul(logit), 0, 1);
        Assert.Equal((area, stability), (enlarged.Mask.Area, enlarged.Stability));
    }
}
