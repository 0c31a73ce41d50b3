using Microsoft.ML.VisionModels.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Imaging;

public class PillowResizeTests
{
    private static readonly ResizeFilter[] _smooth = [ResizeFilter.Lanczos, ResizeFilter.Bilinear, ResizeFilter.Bicubic, ResizeFilter.Box, ResizeFilter.Hamming];

    [Fact]
    public void VectorAndScalarRowsAgree()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 200; trial++)
        {
            var (from, to) = (random.Next(1, 200), random.Next(1, 200));
            var resampler = new RowResampler(ResizeCoefficients.For(new(_smooth[trial % _smooth.Length], from, 0, from, to), 0, to));
            var source = TestImages.Noise(from, 2, trial);
            byte[] fast = new byte[6 * to], scalar = new byte[6 * to];

            resampler.Resample(source.Pixels, source.Row(1), fast.AsSpan(0, 3 * to), fast.AsSpan(3 * to));
            resampler.ResampleScalar(source.Row(0), scalar.AsSpan(0, 3 * to));
            resampler.ResampleScalar(source.Row(1), scalar.AsSpan(3 * to));

            Assert.True(scalar.SequenceEqual(fast), $"{from} to {to} pixels differ.");
        }
    }

    [Fact]
    public void VectorAndScalarColumnsAgree()
    {
        var random = new Random(2);
        for (var trial = 0; trial < 200; trial++)
        {
            var (from, to, width) = (random.Next(1, 100), random.Next(1, 100), random.Next(1, 40));
            var coefficients = ResizeCoefficients.For(new(_smooth[trial % _smooth.Length], from, 0, from, to), 0, to);
            var source = TestImages.Noise(width, from, trial);
            for (var y = 0; y < to; y++)
            {
                byte[] fast = new byte[3 * width], scalar = new byte[3 * width];
                var rows = source.Pixels.AsSpan(3 * width * coefficients.First[y]);

                ColumnResampler.Resample(rows, coefficients.WeightsOf(y), fast);
                ColumnResampler.ResampleScalar(rows, coefficients.WeightsOf(y), scalar, 0);

                Assert.True(scalar.SequenceEqual(fast), $"{from} to {to} rows of {width} pixels differ.");
            }
        }
    }

    [Theory]
    [InlineData(ResizeFilter.Nearest)]
    [InlineData(ResizeFilter.Lanczos)]
    [InlineData(ResizeFilter.Bicubic)]
    public void ThreadsDoNotChangeTheResult(ResizeFilter filter)
    {
        var source = TestImages.Noise(1500, 1101);
        var one = PillowResize.Resize(source, 901, 1203, filter, maxThreads: 1);
        var many = PillowResize.Resize(source, 901, 1203, filter);
        Assert.True(one.Pixels.AsSpan().SequenceEqual(many.Pixels));
    }

    [Theory]
    [InlineData(ResizeFilter.Nearest)]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.Lanczos)]
    public void ABoxOnPixelEdgesWithoutScalingCutsItOut(ResizeFilter filter)
    {
        var source = TestImages.Noise(40, 30);
        var cut = PillowResize.Resize(source, 11, 9, filter, new PixelBox(5, 7, 16, 16));
        Assert.Equal(source.Window(5, 7, 11, 9).Pixels, cut.Pixels);
    }

    [Fact]
    public void ABoxMustLieInTheImage()
    {
        var source = TestImages.Noise(4, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => PillowResize.Resize(source, 2, 2, ResizeFilter.Box, new PixelBox(0, 0, 5, 3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => PillowResize.Resize(source, 2, 2, ResizeFilter.Box, new PixelBox(2, 0, 2, 3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => PillowResize.Resize(source, 0, 2, ResizeFilter.Box));
    }

    [Fact]
    public void OneColorStaysOneColor()
    {
        var source = new RgbImage(37, 21);
        source.Pixels.AsSpan().Fill(255);
        foreach (var filter in _smooth)
            Assert.All(PillowResize.Resize(source, 64, 5, filter).Pixels, value => Assert.Equal(255, value));
    }

    [Fact]
    public void WindowsBeyondTheImageAreBlackThere()
    {
        var source = TestImages.Noise(2, 2);
        var window = source.Window(-1, -1, 4, 3);
        Assert.Equal([0, 0, 0], window.Row(0)[..3].ToArray());
        Assert.Equal(source.Row(0).ToArray(), window.Row(1)[3..9].ToArray());
        Assert.Equal(source.Row(1).ToArray(), window.Row(2)[3..9].ToArray());
        Assert.All(source.Window(5, 5, 2, 2).Pixels, value => Assert.Equal(0, value));
    }
}
