using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class FlipAndCropTests
{
    [Fact]
    public void FlipGivesEachImageOrItsMirror()
    {
        using var scope = NewDisposeScope();
        var images = Images(400);
        using var generator = new Generator(1);
        var flipped = RandomFlip.Horizontal(images, generator);

        Assert.Equal(ScalarType.Byte, flipped.dtype);
        var count = 0;
        for (var i = 0; i < 400; i++)
        {
            var mirrored = Same(flipped[i], images[i].flip(2));
            Assert.True(mirrored || Same(flipped[i], images[i]));
            count += mirrored ? 1 : 0;
        }
        Assert.InRange(count, 160, 240); // 200 +- 4 standard deviations
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    public void FlipHeedsItsProbability(double probability)
    {
        using var scope = NewDisposeScope();
        var images = Images(20);
        using var generator = new Generator(1);
        Assert.True(Same(RandomFlip.Horizontal(images, generator, probability), probability == 0 ? images : images.flip(3)));
        Assert.True(Same(RandomFlip.Vertical(images, generator, probability), probability == 0 ? images : images.flip(2)));
    }

    [Fact]
    public void ResizedCropMagnifiesAPart()
    {
        using var scope = NewDisposeScope();
        const int Size = 50;
        var ramp = TensorArithmetic.Arange(Size).Mul(4).to(uint8);
        var image = stack([ramp.view(1, Size).expand(Size, Size), ramp.view(Size, 1).expand(Size, Size), zeros([Size, Size], uint8)]);
        using var generator = new Generator(1);
        var cropped = RandomCrop.Resized(image.expand(300, -1, -1, -1), generator, minArea: 0.2);
        Assert.Equal([300, 3, Size, Size], cropped.shape);
        Assert.Equal(ScalarType.Byte, cropped.dtype);

        // Red tells where a column comes from, green where a row does.
        var values = cropped.to(float32);
        var width = (values.amax([2, 3]) - values.amin([2, 3]))[.., 0].Div(4).Add(1); // [300]
        var height = (values.amax([2, 3]) - values.amin([2, 3]))[.., 1].Div(4).Add(1);
        var area = (width * height).Div(Size * Size);
        Assert.InRange(area.min().item<float>(), 0.19, 0.24);
        Assert.InRange(area.max().item<float>(), 0.9, 1);
        Assert.InRange(area.mean().item<float>(), 0.55, 0.62); // 0.6, less what the widest and highest are cut
        Assert.InRange((width / height).min().item<float>(), 0.72, 0.8);
        Assert.InRange((width / height).max().item<float>(), 1.25, 1.4);
        Assert.Equal(0, cropped[.., 2].max().item<byte>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CropGivesAWindowOfThePaddedImage(bool reflect)
    {
        using var scope = NewDisposeScope();
        const int Padding = 2;
        var images = Images(500);
        using var generator = new Generator(1);
        var cropped = RandomCrop.Padded(images, Padding, generator, reflect);
        Assert.Equal(ScalarType.Byte, cropped.dtype);

        var (height, width) = (images.shape[2], images.shape[3]);
        var padded = nn.functional.pad(images.to(float32), [Padding, Padding, Padding, Padding], reflect ? PaddingModes.Reflect : PaddingModes.Constant).to(uint8);
        var seen = new Dictionary<(int, int), int>();
        for (var i = 0; i < 500; i++)
        {
            var place = Enumerable.Range(0, 25).Select(n => (Y: n / 5, X: n % 5))
                .Single(p => Same(cropped[i], padded[i].narrow(1, p.Y, height).narrow(2, p.X, width)));
            seen[place] = seen.GetValueOrDefault(place) + 1;
        }
        Assert.Equal(25, seen.Count);
        Assert.All(seen.Values, n => Assert.InRange(n, 4, 40)); // 20 expected
    }

    [Fact]
    public void DrawsDependOnTheSeedAlone()
    {
        using var scope = NewDisposeScope();
        var images = Images(30);
        Assert.True(Same(Both(1), Both(1)));
        Assert.False(Same(Both(1), Both(2)));

        Tensor Both(ulong seed)
        {
            using var generator = new Generator(seed);
            return RandomCrop.Padded(RandomFlip.Horizontal(images, generator), 2, generator);
        }
    }

    [Fact]
    public void TakeEmptyBatchesAndNoPadding()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var images = Images(3);
        Assert.True(Same(images, RandomCrop.Padded(images, 0, generator)));
        Assert.Equal(0, RandomCrop.Padded(RandomFlip.Horizontal(images[..0], generator), 2, generator).shape[0]);
    }

    [Fact]
    public void RefusesAReflectionWiderThanTheImage()
    {
        using var images = Images(1);
        using var generator = new Generator(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => RandomCrop.Padded(images, 6, generator, reflect: true));
    }

    private static Tensor Images(int count)
    {
        using var generator = new Generator(9);
        using var values = randint(1, 256, [count, 3, 6, 8], generator: generator);
        return values.to(uint8);
    }

    private static bool Same(Tensor a, Tensor b) => a.Equals(b);
}
