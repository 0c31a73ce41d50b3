using Microsoft.ML.VisionModels.Imaging.Augmentation;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

[Collection("Alone")] // Tensors are counted in the whole process.
public class AugmenterTests
{
    private static readonly AugmentationSettings Everything = new()
    {
        HorizontalFlip = true, VerticalFlip = true, CropPadding = 2, MinCropArea = 0.5, ColorJitter = 0.4, RandAugmentOperations = 2,
        RandAugmentMagnitude = 0.5, RandomErasing = 0.5, MixUpAlpha = 0.8, CutMixAlpha = 1,
    };

    public static TheoryData<string> Settings => [.. EachAlone.Keys];

    private static Dictionary<string, AugmentationSettings> EachAlone => new()
    {
        ["flip"] = new() { HorizontalFlip = true },
        ["vertical flip"] = new() { VerticalFlip = true },
        ["padded crop"] = new() { CropPadding = 2 },
        ["resized crop"] = new() { MinCropArea = 0.5 },
        ["jitter"] = new() { ColorJitter = 0.4 },
        ["RandAugment"] = new() { RandAugmentOperations = 1 },
        ["erasing"] = new() { RandomErasing = 0.5 },
        ["mixup"] = new() { MixUpAlpha = 0.8 },
        ["cutmix"] = new() { CutMixAlpha = 1 },
        ["everything"] = Everything,
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void TheGeneratorDecidesAlone(string name)
    {
        using var scope = NewDisposeScope();
        var (images, targets) = Batch();
        var before = images.clone();
        var (first, again, other) = (Run(1), Run(1), Run(2));
        Assert.True(first.Pixels.Equals(again.Pixels));
        Assert.True(first.Targets.Equals(again.Targets));
        Assert.False(first.Pixels.Equals(other.Pixels));
        Assert.False(first.Pixels.Equals(images));
        Assert.Equal(images.shape, first.Pixels.shape);
        Assert.Equal(ScalarType.Byte, first.Pixels.dtype);
        Assert.True(before.Equals(images));

        (Tensor Pixels, Tensor Targets) Run(ulong seed)
        {
            using var generator = new Generator(seed);
            var augmenter = new Augmenter(EachAlone[name]);
            return augmenter.Mix(augmenter.Apply(images, generator), targets, generator);
        }
    }

    [Fact]
    public void NothingOnGivesTheInputItself()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var (images, targets) = Batch();
        var augmenter = new Augmenter(new());
        Assert.Same(images, augmenter.Apply(images, generator));
        Assert.Equal((images, targets), augmenter.Mix(images, targets, generator));
        var none = images[..0];
        Assert.Same(none, new Augmenter(Everything).Apply(none, generator));
    }

    [Fact]
    public void LeavesNoTensorsBehindAndNeedsNoScope()
    {
        var (images, targets) = Batch();
        using var generator = new Generator(1);
        var before = Tensor.TotalCount;
        foreach (var settings in EachAlone.Values)
        {
            var augmenter = new Augmenter(settings);
            for (var i = 0; i < 50; i++)
            {
                var augmented = augmenter.Apply(images, generator);
                var (pixels, shares) = augmenter.Mix(augmented, targets, generator);
                Assert.Equal(images.shape, pixels.shape);
                HashSet<object> made = new([augmented, pixels, shares], ReferenceEqualityComparer.Instance);
                made.ExceptWith([images, targets]);
                foreach (var tensor in made.Cast<Tensor>())
                    tensor.Dispose();
            }
        }
        Assert.InRange(Tensor.TotalCount, 0, before); // Not more: what earlier tests left to the garbage collector may go at any time.
        images.Dispose();
        targets.Dispose();
    }

    private static (Tensor Images, Tensor Targets) Batch()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        var images = randint(0, 256, [16, 3, 12, 10], uint8, generator: generator);
        return (images.MoveToOuterDisposeScope(), eye(16).MoveToOuterDisposeScope());
    }
}
