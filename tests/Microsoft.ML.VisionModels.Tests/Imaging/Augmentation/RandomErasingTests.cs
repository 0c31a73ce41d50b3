using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class RandomErasingTests
{
    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(0.25, 70, 130)]
    [InlineData(1.0, 400, 400)]
    public void ErasesABoxOfNoiseWithTheGivenProbability(double probability, int least, int most)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        const int Count = 400, Size = 40;
        var images = ones([Count, 3, Size, Size], ScalarType.Byte).Mul(100);
        var before = images.clone();
        var erased = RandomErasing.Apply(images, generator, probability);
        Assert.Equal(ScalarType.Byte, erased.dtype);
        Assert.Equal(before, images);

        // Noise is 100 in all three channels once in 16 million pixels.
        var changed = erased.ne(images).any(1); // [Count, H, W]
        var (height, width) = (changed.any(2).sum(1), changed.any(1).sum(1)); // [Count]
        var area = changed.sum(1).sum(1);
        Assert.Equal(height * width, area);
        var touched = area.to(ScalarType.Bool);
        Assert.InRange(touched.sum().item<long>(), least, most);
        if (most == 0)
            return;

        var share = area[touched].to(float32).Div(Size * Size);
        Assert.InRange(share.min().item<float>(), 0.015, 0.05);
        Assert.InRange(share.max().item<float>(), 0.3, 0.35);
        var noise = erased[changed.unsqueeze(1).expand_as(erased)].to(float32);
        Assert.InRange(noise.mean().item<float>(), 126.5, 128.5);
        Assert.InRange(noise.std().item<float>(), 73.4, 74.4); // 256 / sqrt(12) is 73.9
    }
}
