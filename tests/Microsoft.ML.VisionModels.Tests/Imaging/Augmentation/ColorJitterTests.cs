using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class ColorJitterTests
{
    [Fact]
    public void ChangesAGrayImageByTheBrightnessAlone()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var jittered = ColorJitter.Apply(ones([500, 3, 4, 4], ScalarType.Byte).Mul(100), generator, strength: 0.4);
        Assert.Equal(ScalarType.Byte, jittered.dtype);
        var values = jittered.to(float32);
        var levels = values.mean([1, 2, 3]); // [500]
        Assert.Equal(levels.view(-1, 1, 1, 1).expand_as(values), values);
        Assert.InRange(levels.min().item<float>(), 60, 62);
        Assert.InRange(levels.max().item<float>(), 138, 140);
        Assert.InRange(levels.mean().item<float>(), 97, 103);
    }

    [Fact]
    public void ChangesContrastAndSaturation()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var image = randint(80, 160, [1, 3, 4, 4], uint8, generator: generator);
        var jittered = ColorJitter.Apply(image.expand(200, -1, -1, -1), generator, strength: 0.4).to(float32);
        var relative = jittered / jittered.mean([1, 2, 3], keepdim: true); // brightness alone would leave this alike
        Assert.True(relative.std(0).mean().item<float>() > 0.02);
    }

    [Fact]
    public void Strength0ChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var images = randint(0, 256, [5, 3, 6, 6], uint8, generator: generator);
        Assert.Equal(images, ColorJitter.Apply(images, generator, strength: 0));
    }
}
