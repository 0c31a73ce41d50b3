using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>
/// Makes random views of images, as self-supervised methods compare them: what two views of an image have in common is what is to be
/// learned. Crop, mirror, colors, gray, blur and solarization in SimCLR's order (arXiv 2002.05709; BYOL, arXiv 2006.07733).
/// </summary>
internal static class ViewAugmenter
{
    /// <summary>One view of each image.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8; not changed.</param>
    /// <param name="view">What the view is like.</param>
    /// <param name="generator">A CPU generator for the random numbers.</param>
    /// <returns>[B, 3, h, w] uint8, a new tensor.</returns>
    public static Tensor Apply(Tensor pixels, ViewSettings view, Generator generator)
    {
        using var scope = NewDisposeScope();
        var result = RandomCrop.Resized(pixels, generator, view.MinCropArea, view.MaxCropArea, view.Size);
        if (view.HorizontalFlip)
            result = RandomFlip.Horizontal(result, generator);
        Some(result, view.JitterProbability, generator, some => ColorJitter.Apply(some, generator, view.Brightness, view.Contrast, view.Saturation, view.Hue));
        Some(result, view.GrayscaleProbability, generator, ImageOperations.Grayscale);
        Some(result, view.BlurProbability, generator, some =>
            ImageOperations.GaussianBlur(some, tensor(generator.Uniform((int)some.shape[0], MinSigma, MaxSigma), float32, some.device), BlurRadius(view.Size)));
        Some(result, view.SolarizeProbability, generator, some => ImageOperations.Solarize(some, 128));
        return result.MoveToOuterDisposeScope();
    }

    private const double MinSigma = 0.1, MaxSigma = 2;

    /// <summary>A kernel of a tenth of the image, as SimCLR has it, and of at least three pixels.</summary>
    private static int BlurRadius(ImageSize size) => Math.Max(1, Math.Min(size.Height, size.Width) / 20);

    /// <summary>Changes each image in place with a probability; those that are changed together.</summary>
    private static void Some(Tensor images, double probability, Generator generator, Func<Tensor, Tensor> change)
    {
        if (probability == 0)
            return;
        var rows = generator.Chosen(images.shape[0], probability).to(images.device);
        if (rows.shape[0] > 0)
            images.index_copy_(0, rows, change(images.index_select(0, rows)));
    }
}

/// <summary>What a kind of view is like.</summary>
internal sealed record ViewSettings
{
    /// <summary>Its size.</summary>
    public required ImageSize Size { get; init; }

    /// <summary>The smallest share of the image's area that is cut out, above 0.</summary>
    public double MinCropArea { get; init; } = 0.08;

    /// <summary>The largest, up to 1.</summary>
    public double MaxCropArea { get; init; } = 1;

    /// <summary>Whether half of the views are mirrored.</summary>
    public bool HorizontalFlip { get; init; } = true;

    /// <summary>How many views have their colors changed.</summary>
    public double JitterProbability { get; init; } = 0.8;

    /// <summary>By which factor, from 1, the brightness changes at most.</summary>
    public double Brightness { get; init; } = 0.4;

    /// <inheritdoc cref="Brightness"/>
    public double Contrast { get; init; } = 0.4;

    /// <inheritdoc cref="Brightness"/>
    public double Saturation { get; init; } = 0.2;

    /// <summary>By which part of the color circle the hue turns at most.</summary>
    public double Hue { get; init; } = 0.1;

    /// <summary>How many views are gray.</summary>
    public double GrayscaleProbability { get; init; } = 0.2;

    /// <summary>How many views are blurred.</summary>
    public double BlurProbability { get; init; }

    /// <summary>Of how many views the bright half is inverted.</summary>
    public double SolarizeProbability { get; init; }
}
