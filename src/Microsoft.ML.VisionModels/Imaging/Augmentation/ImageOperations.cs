using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>
/// Pillow's <c>ImageEnhance</c> and <c>ImageOps</c> on batches, [N, 3, H, W] uint8. The results are new tensors. Where Pillow truncates
/// fractions this rounds them, as truncating darkens an image; so a value may be one more than Pillow's.
/// </summary>
/// <remarks>A factor is [N, 1, 1, 1] float32, as Pillow defines it: 1 keeps the image, 0 gives a black, gray or smooth one, more than 1 enhances it.</remarks>
internal static class ImageOperations
{
    private static readonly Scalar s_zero = 0, s_one = 1, s_two = 2, s_white = 255;     // kept alive, see TensorArithmetic

    public static Tensor Brightness(Tensor pixels, Tensor factor)
    {
        using var scope = NewDisposeScope();
        return pixels.to(float32).mul_(factor).ToPixels().MoveToOuterDisposeScope();
    }

    /// <summary>Blends each image with its mean gray.</summary>
    public static Tensor Contrast(Tensor pixels, Tensor factor)
    {
        using var scope = NewDisposeScope();
        var values = pixels.to(float32);
        var mean = Gray(values).mean([2, 3], keepdim: true).round_(); // [N, 1, 1, 1]
        return Blend(mean, values, factor).MoveToOuterDisposeScope();
    }

    /// <summary>Changes the saturation: blends each image with its gray version.</summary>
    public static Tensor Color(Tensor pixels, Tensor factor)
    {
        using var scope = NewDisposeScope();
        var values = pixels.to(float32);
        return Blend(Gray(values), values, factor).MoveToOuterDisposeScope();
    }

    /// <summary>Turns the hue by a share of the color circle, [N, 1, 1, 1], as torchvision does on the hexagon of HSV; gray stays gray.</summary>
    public static Tensor Hue(Tensor pixels, Tensor turn)
    {
        using var scope = NewDisposeScope();
        using Scalar six = 6;
        var values = pixels.to(float32);
        var (r, g, b) = (values.narrow(1, 0, 1), values.narrow(1, 1, 1), values.narrow(1, 2, 1));     // [N, 1, H, W] each
        var most = values.amax([1], keepdim: true);
        var chroma = most - values.amin([1], keepdim: true);
        var divisor = chroma.clamp_min(s_one);
        var hue = where(most.eq(r), (g - b) / divisor, where(most.eq(g), ((b - r) / divisor).Add(2), ((r - g) / divisor).Add(4)))
            .Add(turn.Mul(6));                                                              // in sixths of the circle
        // A channel is brightest within a sixth around its own corner of the hexagon and falls off to the sixths beside it.
        var corners = tensor([5f, 3, 1], device: pixels.device).view(1, 3, 1, 1);
        var k = corners.Add(hue).remainder(six);                                            // [N, 3, H, W]
        return (most - chroma * minimum(k, k.neg().Add(4)).clamp_(s_zero, s_one)).ToPixels().MoveToOuterDisposeScope();
    }

    /// <summary>Takes the colors away: three equal channels, Pillow's <c>convert("L")</c>.</summary>
    public static Tensor Grayscale(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return Gray(pixels.to(float32)).to(uint8).expand(-1, 3, -1, -1).MoveToOuterDisposeScope();
    }

    /// <summary>Blurs each image with a Gaussian of its own; mirrored at the edges.</summary>
    /// <param name="pixels">[N, 3, H, W] uint8.</param>
    /// <param name="sigma">Each image's standard deviation in pixels, [N].</param>
    /// <param name="radius">How many pixels the kernel reaches from its center; below the image's sides.</param>
    public static Tensor GaussianBlur(Tensor pixels, Tensor sigma, int radius)
    {
        using var scope = NewDisposeScope();
        using Scalar two = 2;
        var (count, height, width) = (pixels.shape[0], pixels.shape[2], pixels.shape[3]);
        var distances = TensorArithmetic.Arange(2 * radius + 1, pixels.device).to(float32).Sub(radius);
        var kernel = (distances.pow(two).neg() / sigma.pow(two).unsqueeze(1).Mul(2)).softmax(1);     // [N, K]: a Gaussian whose sum is 1
        var perPlane = kernel.repeat_interleave(3, 0).unsqueeze(1);                         // [3 N, 1, K]
        // Every plane is a channel with a kernel of its own.
        var planes = nn.functional.pad(pixels.to(float32), [radius, radius, radius, radius], PaddingModes.Reflect).view(1, 3 * count, height + 2 * radius, width + 2 * radius);
        planes = nn.functional.conv2d(planes, perPlane.unsqueeze(2), groups: 3 * count);
        planes = nn.functional.conv2d(planes, perPlane.unsqueeze(3), groups: 3 * count);
        return planes.view(count, 3, height, width).ToPixels().MoveToOuterDisposeScope();
    }

    /// <summary>Blends each image with its smoothed version.</summary>
    public static Tensor Sharpness(Tensor pixels, Tensor factor)
    {
        using var scope = NewDisposeScope();
        var values = pixels.to(float32);
        return Blend(Smooth(values), values, factor).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps the upper <paramref name="bits"/> of each value's 8 bits.</summary>
    public static Tensor Posterize(Tensor pixels, int bits)
    {
        using var mask = tensor((byte)(0xFF << (8 - bits)), device: pixels.device);
        return pixels.bitwise_and(mask);
    }

    /// <summary>Inverts the values that are at least the threshold; a threshold of 256 changes nothing.</summary>
    public static Tensor Solarize(Tensor pixels, int threshold)
    {
        using var scope = NewDisposeScope();
        using Scalar bound = threshold;
        return where(pixels.to(int16).ge(bound), Invert(pixels), pixels).MoveToOuterDisposeScope();
    }

    public static Tensor Invert(Tensor pixels) => pixels.bitwise_not();

    /// <summary>Stretches the values of each channel so that they reach from 0 to 255.</summary>
    public static Tensor AutoContrast(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var values = pixels.to(float32);
        var (darkest, brightest) = (values.amin([2, 3], keepdim: true), values.amax([2, 3], keepdim: true)); // [N, 3, 1, 1]
        var stretched = (values - darkest).mul_((brightest - darkest).ClampMin(1).reciprocal().Mul(255));
        return where(brightest.gt(darkest), stretched, values).ToPixels().MoveToOuterDisposeScope();
    }

    /// <summary>Equalizes the histogram of each channel, so that all levels are about equally frequent.</summary>
    public static Tensor Equalize(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var (planes, area) = (pixels.shape[0] * pixels.shape[1], pixels.shape[2] * pixels.shape[3]);
        var bytes = pixels.reshape(planes, area);
        var values = bytes.to(int64);
        var firstBin = TensorArithmetic.Arange(planes, pixels.device).unsqueeze(1).Mul(256); // [planes, 1]
        var histogram = values.Add(firstBin).flatten().bincount(null, 256 * planes).view(planes, 256);
        var brightest = histogram.gather(1, bytes.amax([1], keepdim: true).to(int64)); // [planes, 1]: how many pixels have the plane's highest value
        using Scalar all = area;
        var step = brightest.neg().add(all, s_one).div(s_white, RoundingMode.floor);

        var darker = histogram.cumsum(1) - histogram; // [planes, 256]: how many pixels are darker than the level
        var table = darker.Add(step.div(s_two, RoundingMode.floor)).div(step.clamp_min(s_one), RoundingMode.floor).clamp_max_(s_white);
        table = where(step.gt(s_zero), table, TensorArithmetic.Arange(256, pixels.device)).to(uint8);
        return table.gather(1, values).view(pixels.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Rounds numbers to the nearest values that a pixel can have.</summary>
    public static Tensor ToPixels(this Tensor values) => values.round_().clamp_(s_zero, s_white).to(uint8);

    private static Tensor Blend(Tensor without, Tensor image, Tensor factor) => (image - without).mul_(factor).add_(without, s_one).ToPixels();

    /// <summary>[N, 3, H, W] to [N, 1, H, W]: ITU-R 601-2 luma with Pillow's 16-bit weights, whose sums are exact in float32.</summary>
    private static Tensor Gray(Tensor values)
    {
        var weights = tensor([19595 / 65536f, 38470 / 65536f, 7471 / 65536f], device: values.device).view(1, 3, 1, 1);
        return (values * weights).sum(1, keepdim: true).Add(0.5).floor_();
    }

    /// <summary>Pillow's filter SMOOTH: a 3 x 3 mean in which the center counts five times. Pixels at the edge keep their values.</summary>
    private static Tensor Smooth(Tensor values)
    {
        var smooth = values.clone();
        if (values.shape[2] < 3 || values.shape[3] < 3)
            return smooth;
        using Scalar four = 4, thirteen = 13;
        smooth[.., .., 1..^1, 1..^1].mul_(four).add_(SumOfThree(SumOfThree(values, 2), 3), s_one).div_(thirteen).round_();
        return smooth;

        static Tensor SumOfThree(Tensor values, int dimension)
        {
            var length = values.shape[dimension] - 2;
            return values.narrow(dimension, 0, length).Add(values.narrow(dimension, 1, length)).add_(values.narrow(dimension, 2, length), s_one);
        }
    }
}
