using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Crops each image at random and brings the crop back to the image's size. The results are new tensors.</summary>
internal static class RandomCrop
{
    /// <summary>
    /// Shifts each image, [B, C, H, W] of any element type, by up to <paramref name="padding"/> pixels in each direction, as if it were
    /// padded on all sides and cropped to its size again. It is padded with zeros or, where <paramref name="reflect"/> is set, with the
    /// mirrored image, whose edge is not repeated.
    /// </summary>
    public static Tensor Padded(Tensor images, int padding, Generator generator, bool reflect = false)
    {
        var (count, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        if (reflect)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(padding, Math.Min(height, width));

        using var scope = NewDisposeScope();
        var padded = reflect
            ? images.index_select(2, Mirrored(height)).index_select(3, Mirrored(width)).contiguous()
            : nn.functional.pad(images, [padding, padding, padding, padding], value: 0).contiguous(); // [B, C, H + 2p, W + 2p]

        // Each row of a crop is W consecutive values of the padded images. The strided view has every such run of W values as a row, and
        // indexing it with the positions where the crops' rows start takes all crops at once.
        var (paddedHeight, paddedWidth) = (height + (2 * padding), width + (2 * padding));
        var runs = padded.as_strided([Math.Max(0, padded.NumberOfElements - width + 1), width], [1, 1], 0);
        var rows = TensorArithmetic.Arange(count * channels).view(count, channels, 1).Mul(paddedHeight)
            .Add(Shifts().Add(TensorArithmetic.Arange(height)).unsqueeze(1)); // [B, C, H]
        var starts = rows.Mul(paddedWidth).Add(Shifts().unsqueeze(1));
        return runs.index(starts.to(images.device)).MoveToOuterDisposeScope(); // [B, C, H, W]

        Tensor Shifts() => randint(0, (2 * padding) + 1, [count, 1], generator: generator);

        Tensor Mirrored(long size)
        {
            var places = Enumerable.Range(-padding, (int)size + (2 * padding));
            return tensor(places.Select(place => size - 1 - Math.Abs(size - 1 - Math.Abs(place))).ToArray(), device: images.device);
        }
    }

    /// <summary>
    /// Cuts a region out of each image, [B, C, H, W] uint8, and resizes it bilinearly, as is usual in ImageNet training (Szegedy et al.,
    /// arXiv 1409.4842).
    /// </summary>
    /// <param name="pixels">The images.</param>
    /// <param name="generator">The source of random numbers.</param>
    /// <param name="minArea">The region's smallest share of the image's area, from 0 to 1.</param>
    /// <param name="maxArea">Its largest, from that to 1.</param>
    /// <param name="resizeTo">The size of the result; null for that of the images.</param>
    public static Tensor Resized(Tensor pixels, Generator generator, double minArea = 0.08, double maxArea = 1, ImageSize? resizeTo = null)
    {
        var whole = new ImageSize((int)pixels.shape[2], (int)pixels.shape[3]);
        var size = resizeTo ?? whole;
        var regions = ImageRegion.Draw(generator, (int)pixels.shape[0], whole, (minArea, maxArea), (3.0 / 4, 4.0 / 3));
        using var scope = NewDisposeScope();
        var result = empty([pixels.shape[0], pixels.shape[1], size.Height, size.Width], pixels.dtype, pixels.device);
        for (var i = 0; i < regions.Length; i++)
        {
            var part = regions[i].Of(pixels.narrow(0, i, 1)); // [1, 3, h, w]
            // The CPU has a kernel for bytes that is several times as fast as the one for floats; other devices have none.
            result.narrow(0, i, 1).copy_(pixels.device_type == DeviceType.CPU ? Resize(part) : Resize(part.to(float32)).ToPixels());
        }
        return result.MoveToOuterDisposeScope();

        // Antialiasing changes nothing where a region is enlarged, and costs time.
        Tensor Resize(Tensor part) => nn.functional.interpolate(part, [size.Height, size.Width], mode: InterpolationMode.Bilinear, align_corners: false,
            antialias: part.shape[2] > size.Height || part.shape[3] > size.Width);
    }
}

/// <summary>Flips images, [B, C, H, W] of any element type, each with the given probability. The results are new tensors.</summary>
internal static class RandomFlip
{
    /// <summary>Swaps left and right.</summary>
    public static Tensor Horizontal(Tensor images, Generator generator, double probability = 0.5) => Flip(images, 3, generator, probability);

    /// <summary>Swaps top and bottom.</summary>
    public static Tensor Vertical(Tensor images, Generator generator, double probability = 0.5) => Flip(images, 2, generator, probability);

    private static Tensor Flip(Tensor images, long dimension, Generator generator, double probability)
    {
        using var scope = NewDisposeScope();
        var flipped = generator.Chosen(images.shape[0], probability).to(images.device); // indices of images
        return images.clone().index_copy_(0, flipped, images.index_select(0, flipped).flip(dimension)).MoveToOuterDisposeScope();
    }
}

/// <summary>Changes brightness, contrast, saturation and hue of each image at random, as torchvision's <c>ColorJitter</c> does.</summary>
internal static class ColorJitter
{
    /// <summary>Changes brightness, contrast and saturation alike; the hue stays.</summary>
    /// <inheritdoc cref="Apply(Tensor, Generator, double, double, double, double)"/>
    public static Tensor Apply(Tensor pixels, Generator generator, double strength) => Apply(pixels, generator, strength, strength, strength, hue: 0);

    /// <summary>Changes each by a factor from 1 - strength to 1 + strength, in an order that is drawn once for the batch.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8.</param>
    /// <param name="generator">The source of random numbers.</param>
    /// <param name="brightness">From 0 for no change to 1.</param>
    /// <param name="contrast">From 0 for no change to 1.</param>
    /// <param name="saturation">From 0 for no change to 1.</param>
    /// <param name="hue">By which part of the color circle the hue turns at most, 0 to 0.5.</param>
    /// <returns>A new tensor, [B, 3, H, W] uint8.</returns>
    public static Tensor Apply(Tensor pixels, Generator generator, double brightness, double contrast, double saturation, double hue)
    {
        using var scope = NewDisposeScope();
        (Func<Tensor, Tensor, Tensor> Operation, double Neutral, double Strength)[] operations =
            [(ImageOperations.Brightness, 1, brightness), (ImageOperations.Contrast, 1, contrast), (ImageOperations.Color, 1, saturation), (ImageOperations.Hue, 0, hue)];
        var active = operations[..(hue > 0 ? 4 : 3)];
        var result = pixels;
        foreach (var i in randperm(active.Length, generator: generator).data<long>().ToArray())
        {
            var (operation, neutral, strength) = active[i];
            var amount = rand([pixels.shape[0], 1, 1, 1], generator: generator).Mul(2 * strength).Add(neutral - strength).to(pixels.device); // [B, 1, 1, 1]
            result = operation(result, amount);
        }
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>Random erasing (Zhong et al., arXiv 1708.04896): a region of some images is overwritten with noise.</summary>
internal static class RandomErasing
{
    /// <summary>Overwrites a region of 2% to a third of an image's area with uniform noise, in each image with the given probability.</summary>
    /// <param name="pixels">[B, C, H, W] uint8.</param>
    /// <param name="generator">The source of random numbers.</param>
    /// <param name="probability">The probability that an image is changed.</param>
    /// <returns>A new tensor, [B, C, H, W] uint8.</returns>
    public static Tensor Apply(Tensor pixels, Generator generator, double probability = 0.25)
    {
        using var scope = NewDisposeScope();
        var count = (int)pixels.shape[0];
        var chances = generator.Uniform(count);
        var regions = ImageRegion.Draw(generator, count, new((int)pixels.shape[2], (int)pixels.shape[3]), area: (0.02, 1.0 / 3), ratio: (0.3, 3.3));
        var result = pixels.clone();
        for (var i = 0; i < count; i++)
        {
            if (chances[i] >= probability)
                continue;
            var erased = regions[i].Of(result[i]);
            erased.copy_(randint(0, 256, erased.shape, uint8, generator: generator));
        }
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>A rectangle of whole pixels in an image.</summary>
internal readonly record struct ImageRegion(int Left, int Top, int Width, int Height)
{
    /// <summary>
    /// Draws regions that lie anywhere in images of a size with equal probability. A region that would be wider or higher than the
    /// image is cut to the image; torchvision would draw another one.
    /// </summary>
    /// <param name="generator">The source of random numbers.</param>
    /// <param name="count">How many regions to draw.</param>
    /// <param name="size">The images' size.</param>
    /// <param name="area">The region's share of the image's area, drawn uniformly from this range.</param>
    /// <param name="ratio">Width divided by height, whose logarithm is drawn uniformly from this range.</param>
    public static ImageRegion[] Draw(Generator generator, int count, ImageSize size, (double Min, double Max) area, (double Min, double Max) ratio)
    {
        var areas = generator.Uniform(count, area.Min, area.Max);
        var ratios = generator.Uniform(count, Math.Log(ratio.Min), Math.Log(ratio.Max));
        var (left, top) = (generator.Uniform(count), generator.Uniform(count));
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var pixels = areas[i] * size.Height * size.Width;
            var width = Whole(Math.Sqrt(pixels * Math.Exp(ratios[i])), size.Width);
            var height = Whole(Math.Sqrt(pixels / Math.Exp(ratios[i])), size.Height);
            return new ImageRegion((int)(left[i] * (size.Width - width + 1)), (int)(top[i] * (size.Height - height + 1)), width, height);
        })];

        static int Whole(double length, int max) => Math.Clamp((int)Math.Round(length), 1, max);
    }

    /// <summary>A view of the part of [..., H, W] that the region covers.</summary>
    public Tensor Of(Tensor images) => images.narrow(-2, Top, Height).narrow(-1, Left, Width);
}

/// <summary>Random numbers as arrays, one for each image, for decisions that are made in C# rather than by libtorch.</summary>
internal static class RandomDraws
{
    /// <summary>Uniform numbers from <paramref name="low"/> (inclusive) to <paramref name="high"/> (exclusive).</summary>
    public static double[] Uniform(this Generator generator, int count, double low = 0, double high = 1)
    {
        using var draws = rand(count, float64, generator: generator);
        return Array.ConvertAll(draws.data<double>().ToArray(), u => low + ((high - low) * u));
    }

    /// <summary>Which of so many images are chosen, each with a probability: their indices, [n] int64 on the CPU.</summary>
    public static Tensor Chosen(this Generator generator, long count, double probability)
    {
        using Scalar bound = probability;
        return rand(count, generator: generator).lt(bound).nonzero().squeeze(1);
    }

    /// <summary>Uniform whole numbers from 0 to <paramref name="end"/> - 1.</summary>
    public static int[] Integers(this Generator generator, int count, int end) =>
        Array.ConvertAll(generator.Uniform(count, 0, end), u => (int)u);

    /// <summary>
    /// Draws from the distribution Beta(<paramref name="alpha"/>, <paramref name="alpha"/>) for any positive alpha. If t has Student's
    /// t distribution with 2 alpha degrees of freedom, then (1 + t / sqrt(2 alpha + t²)) / 2 has this distribution (Devroye, 1996);
    /// t is drawn by Bailey's polar method (1994), which never rejects a draw.
    /// </summary>
    public static double SymmetricBeta(this Generator generator, double alpha)
    {
        var uniform = generator.Uniform(2);
        var power = Math.Pow(1 - uniform[0], 1 / alpha); // May underflow to 0 for a small alpha; the ratio below is still defined then.
        var cosine = Math.Cos(2 * Math.PI * uniform[1]);
        var ratio = cosine * Math.Sqrt((1 - power) / (power + ((1 - power) * cosine * cosine))); // t / sqrt(2 alpha + t²)
        return (1 + Math.Clamp(ratio, -1, 1)) / 2; // Rounding may take it past 1.
    }
}
