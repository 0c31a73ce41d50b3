using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class ViewAugmenterTests
{
    private static readonly ViewSettings s_everything = new() { Size = new(8, 6), BlurProbability = 1, SolarizeProbability = 1, GrayscaleProbability = 0.5, JitterProbability = 1 };

    private static readonly ViewSettings s_nothing = new() { Size = new(12, 10), MinCropArea = 1, HorizontalFlip = false, JitterProbability = 0, GrayscaleProbability = 0 };

    [Fact]
    public void ViewsHaveTheirSizeAndTheGeneratorDecidesAlone()
    {
        using var scope = NewDisposeScope();
        var images = Images(16);
        var before = images.clone();
        var (first, again, other) = (View(1), View(1), View(2));
        Assert.Equal([16, 3, 8, 6], first.shape);
        Assert.Equal(ScalarType.Byte, first.dtype);
        Assert.True(first.Equals(again));
        Assert.False(first.Equals(other));
        Assert.True(before.Equals(images));

        Tensor View(ulong seed)
        {
            using var generator = new Generator(seed);
            return ViewAugmenter.Apply(images, s_everything, generator);
        }
    }

    [Fact]
    public void NothingOnGivesTheImages()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        // A region of the whole area may still have another shape, cut to the image.
        var square = Images(4).narrow(2, 0, 10);
        var views = ViewAugmenter.Apply(ones_like(square).Mul(77), s_nothing with { Size = 10 }, generator);
        Assert.All(views.data<byte>().ToArray(), value => Assert.Equal(77, value));
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void AsManyAreChangedAsTheProbabilitySays(double probability)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var images = ones([2000, 3, 4, 4], ScalarType.Byte).Mul(200);
        var views = ViewAugmenter.Apply(images, s_nothing with { Size = 4, SolarizeProbability = probability }, generator);
        var changed = views.select(1, 0).select(1, 0).select(1, 0);
        var values = changed.contiguous().data<byte>().ToArray();
        Assert.All(values, value => Assert.True(value is 200 or 55));
        Assert.InRange(values.Count(value => value == 55) / (double)values.Length, probability - 0.05, probability + 0.05);
    }

    [Fact]
    public void SmallCropsShowSmallParts()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        // Each pixel tells its column: a part of the image has fewer of them.
        var columns = TensorArithmetic.Arange(64).to(ScalarType.Byte).expand(50, 3, 64, 64).contiguous();
        var views = ViewAugmenter.Apply(columns, s_nothing with { Size = 16, MinCropArea = 0.05, MaxCropArea = 0.2 }, generator).to(float32);
        var widths = (views.amax([1, 2, 3]) - views.amin([1, 2, 3])).data<float>().ToArray();
        Assert.InRange(widths.Max(), 10, 64 * Math.Sqrt(0.2 * 4 / 3.0) + 1);
    }

    [Fact]
    public void AThirdOfTheColorCircleExchangesTheColors()
    {
        using var scope = NewDisposeScope();
        var images = Images(3);
        var turned = ImageOperations.Hue(images, ones(3, 1, 1, 1).Mul(1 / 3.0));
        Assert.True(turned.Equals(images.roll(1, 1)));      // red becomes green, green blue, blue red
        Assert.True(ImageOperations.Hue(images, zeros(3, 1, 1, 1)).Equals(images));
        var gray = images.narrow(1, 0, 1).expand(-1, 3, -1, -1);
        Assert.True(ImageOperations.Hue(gray, ones(3, 1, 1, 1).Mul(0.2)).Equals(gray));
    }

    [Fact]
    public void BlurIsTheGaussianOfEachImage()
    {
        using var scope = NewDisposeScope();
        var images = zeros([2, 3, 9, 9], ScalarType.Byte);
        images[.., .., 4, 4] = tensor((byte)255);
        float[] sigmas = [0.5f, 2f];
        var blurred = ImageOperations.GaussianBlur(images, tensor(sigmas), radius: 3);
        for (var i = 0; i < 2; i++)
        {
            var weights = Enumerable.Range(-3, 7).Select(d => Math.Exp(-d * d / (2.0 * sigmas[i] * sigmas[i]))).ToArray();
            var total = weights.Sum();
            for (var x = -3; x <= 3; x++)
                Assert.Equal(Math.Round(255 * weights[3 + x] / total * (weights[3] / total)), blurred[i, 1, 4, 4 + x].item<byte>(), 1.0);
        }
        Assert.All(ImageOperations.GaussianBlur(ones_like(images).Mul(9), tensor(sigmas), 3).data<byte>().ToArray(), value => Assert.Equal(9, value));
    }

    private static Tensor Images(int count)
    {
        using var generator = new Generator(9);
        return randint(0, 256, [count, 3, 12, 10], uint8, generator: generator);
    }
}
