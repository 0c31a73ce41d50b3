using System.Numerics;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

/// <summary>tests/Augmentation/pillow.safetensors holds two images and what Pillow makes of them; make_pillow_cases.py beside it wrote it.</summary>
public sealed class PillowOperationsTests : IDisposable
{
    private const float Up = 1.6f, Down = 0.4f;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Checkpoint _cases = Checkpoint.Open(Path.Combine(AppContext.BaseDirectory, "Augmentation", "pillow.safetensors"));

    [Fact]
    public void BrightnessIsPillows()
    {
        AssertRounded("brightness.up", ImageOperations.Brightness(Image, Factor(Up)));
        AssertRounded("brightness.down", ImageOperations.Brightness(Image, Factor(Down)));
    }

    [Fact]
    public void ContrastIsPillows()
    {
        AssertRounded("contrast.up", ImageOperations.Contrast(Image, Factor(Up)));
        AssertRounded("contrast.down", ImageOperations.Contrast(Image, Factor(Down)));
    }

    [Fact]
    public void ColorIsPillows()
    {
        AssertRounded("color.up", ImageOperations.Color(Image, Factor(Up)));
        AssertRounded("color.down", ImageOperations.Color(Image, Factor(Down)));
        Assert.Equal(_cases.Read("gray"), ImageOperations.Color(Image, Factor(0)));
    }

    [Fact]
    public void SharpnessIsPillows()
    {
        AssertRounded("sharpness.up", ImageOperations.Sharpness(Image, Factor(Up)));
        AssertRounded("sharpness.down", ImageOperations.Sharpness(Image, Factor(Down)));
    }

    [Fact]
    public void EachImageHasItsOwnFactor()
    {
        var factors = tensor([Up, Down], [2, 1, 1, 1]);
        AssertRounded("contrast.up", ImageOperations.Contrast(Image, factors), ..1);
        AssertRounded("contrast.down", ImageOperations.Contrast(Image, factors), 1..);
    }

    [Fact]
    public void PosterizingIsPillows() => Assert.Equal(_cases.Read("posterize.3"), ImageOperations.Posterize(Image, 3));

    [Fact]
    public void SolarizingIsPillows()
    {
        Assert.Equal(_cases.Read("solarize.96"), ImageOperations.Solarize(Image, 96));
        Assert.Equal(Image, ImageOperations.Solarize(Image, 256));
        Assert.Equal(_cases.Read("invert"), ImageOperations.Solarize(Image, 0));
    }

    [Fact]
    public void InvertingIsPillows() => Assert.Equal(_cases.Read("invert"), ImageOperations.Invert(Image));

    [Fact]
    public void AutoContrastIsPillows()
    {
        AssertRounded("autocontrast", ImageOperations.AutoContrast(Image));
        Assert.Equal(Flat, ImageOperations.AutoContrast(Flat));
    }

    [Fact]
    public void EqualizingIsPillows()
    {
        Assert.Equal(_cases.Read("equalize"), ImageOperations.Equalize(Image));
        Assert.Equal(Flat, ImageOperations.Equalize(Flat));
    }

    [Fact]
    public void AffineMapsArePillows()
    {
        AssertRounded("shear_x.0.3", Move(new(1, 0, 0.3f, 1, 0, 0)));
        AssertRounded("shear_y.0.3", Move(new(1, 0.3f, 0, 1, 0, 0)));
        AssertRounded("rotate.25", Move(Matrix3x2.CreateRotation(25 * MathF.PI / 180, new(12, 10))));
        Assert.Equal(_cases.Read("translate_x.5"), Move(Matrix3x2.CreateTranslation(5, 0)));
        Assert.Equal(_cases.Read("translate_y.5"), Move(Matrix3x2.CreateTranslation(0, 5)));
        Assert.Equal(Image, Move(Matrix3x2.Identity));

        Tensor Move(Matrix3x2 map) => AffineSampling.Sample(Image, [map, map]);
    }

    [Fact]
    public void WhatMovesInHasTheFillValue()
    {
        var moved = AffineSampling.Sample(Image, [Matrix3x2.CreateTranslation(5, 0), Matrix3x2.CreateTranslation(-5, 0)], fill: 128);
        Assert.Equal(ones([3, 20, 5], ScalarType.Byte).Mul(128), moved[0, .., .., ^5..]);
        Assert.Equal(ones([3, 20, 5], ScalarType.Byte).Mul(128), moved[1, .., .., ..5]);
        Assert.Equal(Image[0, .., .., 5..], moved[0, .., .., ..^5]);
    }

    [Fact]
    public void TakeImagesTooSmallToSmooth() => Assert.Equal(Image[.., .., ..2, ..2], ImageOperations.Sharpness(Image[.., .., ..2, ..2], Factor(Up)));

    public void Dispose()
    {
        _cases.Dispose();
        _scope.Dispose();
    }

    private Tensor Image => _cases.Read("image"); // [2, 3, 20, 24]

    private static Tensor Flat => ones([1, 3, 4, 4], ScalarType.Byte).Mul(77);

    private static Tensor Factor(float factor) => ones(2, 1, 1, 1).Mul(factor);

    /// <summary>Pillow cuts fractions off where we round: a value is Pillow's or the next one.</summary>
    private void AssertRounded(string name, Tensor actual, Range? images = null)
    {
        Assert.Equal(ScalarType.Byte, actual.dtype);
        var difference = (actual.to(float32) - _cases.Read(name).to(float32))[images ?? ..];
        Assert.InRange(difference.min().item<float>(), 0, 1);
        Assert.InRange(difference.max().item<float>(), 0, 1);
        Assert.True(difference.mean().item<float>() < 0.6);
    }
}
