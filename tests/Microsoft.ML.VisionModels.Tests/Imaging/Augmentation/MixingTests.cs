using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public sealed class MixingTests : IDisposable
{
    private const int Count = 8, Height = 20, Width = 30;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(1);
    private readonly Tensor _images = TensorArithmetic.Arange(Count).Mul(30).to(uint8).view(Count, 1, 1, 1).expand(Count, 3, Height, Width).contiguous(); // each of one value
    private readonly Tensor _targets = eye(Count);

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.2)]
    [InlineData(0.8)]
    [InlineData(1.0)]
    [InlineData(5.0)]
    public void SharesHaveTheMomentsOfTheBetaDistribution(double alpha)
    {
        var shares = Enumerable.Range(0, 20000).Select(_ => _generator.SymmetricBeta(alpha) - 0.5).ToArray();
        Assert.All(shares, share => Assert.InRange(share, -0.5, 0.5));
        var variance = 1 / (4 * ((2 * alpha) + 1));
        var fourth = 3 / (16 * ((2 * alpha) + 1) * ((2 * alpha) + 3));
        Assert.Equal(0, shares.Average(), 5 * Math.Sqrt(variance / shares.Length));
        Assert.Equal(variance, shares.Average(s => s * s), 5 * Math.Sqrt((fourth - (variance * variance)) / shares.Length));
        Assert.Equal(fourth, shares.Average(s => s * s * s * s), 0.03 * fourth);
    }

    [Fact]
    public void ATinyAlphaGivesOneImageOrTheOther()
    {
        var shares = Enumerable.Range(0, 200).Select(_ => _generator.SymmetricBeta(1e-4)).ToArray();
        Assert.All(shares, share => Assert.True(share < 1e-3 || share > 1 - 1e-3, $"{share}"));
        Assert.InRange(shares.Average(), 0.3, 0.7);
    }

    [Fact]
    public void MixUpBlendsImagesAsItBlendsTargets()
    {
        for (var i = 0; i < 20; i++)
        {
            var (pixels, targets) = Mixing.Apply(_images, _targets, _generator, mixUpAlpha: 1, cutMixAlpha: 0);
            AssertTargets(targets);
            var expected = targets.matmul(_images[.., 0, 0, 0].to(float32)); // [B]: of one value each
            TensorAssert.Close(expected.view(Count, 1, 1, 1).expand_as(pixels), pixels.to(float32), tolerance: 0.5001);
        }
    }

    [Fact]
    public void CutMixSharesTargetsByTheArea()
    {
        var pasted = new List<double>();
        for (var i = 0; i < 100; i++)
        {
            var (pixels, targets) = Mixing.Apply(_images, _targets, _generator, mixUpAlpha: 0, cutMixAlpha: 1);
            AssertTargets(targets);
            var of = pixels.unsqueeze(1).eq(_images.unsqueeze(0)); // [B, of B, 3, H, W]: which image a pixel is of
            TensorAssert.Close(of.to(float32).mean([2, 3, 4]), targets, tolerance: 1e-6);
            var foreign = pixels.ne(_images)[.., 0]; // [B, H, W]
            var (area, height, width) = (foreign.sum([1, 2]), foreign.any(2).sum(1), foreign.any(1).sum(1));
            Assert.Equal(height * width, area);
            pasted.Add(area.max().item<long>() / (double)(Height * Width));
        }
        // Of a box with sides s times the image's, s² (1 - s / 4)² lies inside on average; s² is uniform, so the mean is 0.32.
        Assert.InRange(pasted.Average(), 0.22, 0.4);
    }

    [Fact]
    public void CutMixKeepsItsShareExactly()
    {
        var partners = TensorArithmetic.Arange(Count).flip(0);
        var (pixels, kept) = Mixing.CutMix(_images, partners, share: 0.6, _generator);
        Assert.Equal(1 - (pixels.ne(_images)[0, 0].sum().item<long>() / (double)(Height * Width)), kept);
        Assert.InRange(kept, 0.6, 0.95);
    }

    [Fact]
    public void BothAreDrawnWhereBothAreOn()
    {
        var cut = Enumerable.Range(0, 200).Count(_ => IsCut(Mixing.Apply(_images, _targets, _generator, mixUpAlpha: 1, cutMixAlpha: 1, cutMixProbability: 0.3).Pixels));
        Assert.InRange(cut, 35, 90); // 60 expected, and a few of mixup that hardly mix

        bool IsCut(Tensor pixels) => pixels.unsqueeze(1).eq(_images.unsqueeze(0)).any(1).all().item<bool>();
    }

    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(0.5, 70, 130)]
    [InlineData(1.0, 200, 200)]
    public void MixesWithTheGivenProbability(double probability, int least, int most)
    {
        var mixed = Enumerable.Range(0, 200).Count(_ => !ReferenceEquals(_images, Mixing.Apply(_images, _targets, _generator, 1, 1, probability).Pixels));
        Assert.InRange(mixed, least, most);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static void AssertTargets(Tensor targets)
    {
        Assert.Equal([Count, Count], targets.shape);
        TensorAssert.Close(ones(Count), targets.sum(1), tolerance: 1e-6);
        Assert.True(targets.min().item<float>() >= 0);
    }
}
