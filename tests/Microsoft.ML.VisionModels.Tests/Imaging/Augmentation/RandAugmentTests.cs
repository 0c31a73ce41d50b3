using Microsoft.ML.VisionModels.Imaging.Augmentation;
using TorchSharp;
using static TorchSharp.torch;
using Operation = Microsoft.ML.VisionModels.Imaging.Augmentation.RandAugment.Operation;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public sealed class RandAugmentTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(1);

    [Fact]
    public void EachImageGetsOneOfTheOperations()
    {
        const int Count = 700;
        var image = Images(1);
        var drawn = RandAugment.Apply(image.expand(Count, -1, -1, -1), _generator, operations: 1, magnitude: 0.5, fill: 128);
        Assert.Equal([Count, 3, 24, 32], drawn.shape);

        // [28, 3, H, W]: each operation with both signs, of which some mean nothing.
        var possible = cat(Enum.GetValues<Operation>().SelectMany(operation => new[] { 0.5f, -0.5f }.Select(m => RandAugment.Apply(operation, image, [m], fill: 128))).ToList());
        var same = drawn.unsqueeze(1).eq(possible).flatten(2).all(2); // [Count, 28]
        Assert.True(same.any(1).all().item<bool>());
        var frequency = same.to(float32).mean([0]); // 1 / 28 expected with a sign, 1 / 14 without
        Assert.All(frequency.data<float>().ToArray(), f => Assert.InRange(f, 0.015, 0.11));
    }

    [Fact]
    public void Magnitude0ChangesNothing()
    {
        var images = Images(3);
        foreach (var operation in Enum.GetValues<Operation>().Except([Operation.AutoContrast, Operation.Equalize]))
            Assert.True(images.Equals(RandAugment.Apply(operation, images, [0, 0, 0], fill: 128)), $"{operation}");
    }

    [Fact]
    public void FullMagnitudeIsTheEndOfThePublishedRange()
    {
        var image = Images(1);
        AssertMoved(Operation.ShearX, 1, new(1, 0, 0.3f, 1, 0, 0));
        AssertMoved(Operation.ShearY, -1, new(1, -0.3f, 0, 1, 0, 0));
        AssertMoved(Operation.TranslateX, 1, new(1, 0, 0, 1, 14, 0));   // 150 / 331 of 32 is 14.5
        AssertMoved(Operation.TranslateY, -1, new(1, 0, 0, 1, 0, -10)); // of 24, 10.9
        AssertMoved(Operation.Rotate, 1, System.Numerics.Matrix3x2.CreateRotation(MathF.PI / 6, new(16, 12)));
        AssertEnhanced(Operation.Brightness, ImageOperations.Brightness);
        AssertEnhanced(Operation.Color, ImageOperations.Color);
        AssertEnhanced(Operation.Contrast, ImageOperations.Contrast);
        AssertEnhanced(Operation.Sharpness, ImageOperations.Sharpness);
        Assert.Equal(ImageOperations.Posterize(image, 4), Full(Operation.Posterize, -1));
        Assert.Equal(ImageOperations.Invert(image), Full(Operation.Solarize, -1));

        Tensor Full(Operation operation, float sign) => RandAugment.Apply(operation, image, [sign], fill: 7);

        void AssertMoved(Operation operation, float sign, System.Numerics.Matrix3x2 map) =>
            Assert.Equal(AffineSampling.Sample(image, [map], fill: 7), Full(operation, sign));

        void AssertEnhanced(Operation operation, Func<Tensor, Tensor, Tensor> enhance)
        {
            Assert.Equal(enhance(image, tensor([1.9f]).view(1, 1, 1, 1)), Full(operation, 1));
            Assert.Equal(enhance(image, tensor([1 - 0.9f]).view(1, 1, 1, 1)), Full(operation, -1));
        }
    }

    [Fact]
    public void NoOperationsChangeNothing()
    {
        var images = Images(2);
        Assert.Equal(images, RandAugment.Apply(images, _generator, operations: 0));
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private Tensor Images(int count) => randint(20, 220, [count, 3, 24, 32], uint8, generator: _generator);
}
