using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>
/// Augments training batches as <see cref="AugmentationSettings"/> say. All randomness comes from the generator that is passed in, so the
/// same augmenter may be used from several threads, each with a generator of its own.
/// </summary>
internal sealed class Augmenter
{
    private readonly AugmentationSettings _settings;
    private readonly Func<Tensor, Generator, Tensor>[] _steps;

    public Augmenter(AugmentationSettings settings)
    {
        _settings = settings;
        _steps = [.. Steps(settings)];
    }

    /// <summary>Changes each image by itself, in the usual order: crop, flips, colors, erasing.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8, on any device; not changed.</param>
    /// <param name="generator">A CPU generator for the random numbers.</param>
    /// <returns>[B, 3, H, W] uint8: a new tensor, or the argument itself where no step is on.</returns>
    public Tensor Apply(Tensor pixels, Generator generator)
    {
        if (_steps.Length == 0 || pixels.shape[0] == 0)
            return pixels;
        using var scope = NewDisposeScope();
        return _steps.Aggregate(pixels, (result, step) => step(result, generator)).MoveToOuterDisposeScope();
    }

    /// <summary>Mixes the images of a batch with each other; see <see cref="Mixing.Apply"/>.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8.</param>
    /// <param name="targets">[B, classes], floats.</param>
    /// <param name="generator">A CPU generator for the random numbers.</param>
    /// <returns>New tensors of the same shapes and types, or the arguments themselves where nothing is mixed.</returns>
    public (Tensor Pixels, Tensor Targets) Mix(Tensor pixels, Tensor targets, Generator generator) =>
        Mixing.Apply(pixels, targets, generator, _settings.MixUpAlpha, _settings.CutMixAlpha, _settings.MixProbability);

    private static IEnumerable<Func<Tensor, Generator, Tensor>> Steps(AugmentationSettings settings)
    {
        if (settings.MinCropArea < 1)
            yield return (pixels, generator) => RandomCrop.Resized(pixels, generator, settings.MinCropArea);
        if (settings.CropPadding > 0)
            yield return (pixels, generator) => RandomCrop.Padded(pixels, settings.CropPadding, generator);
        if (settings.HorizontalFlip)
            yield return (pixels, generator) => RandomFlip.Horizontal(pixels, generator);
        if (settings.VerticalFlip)
            yield return (pixels, generator) => RandomFlip.Vertical(pixels, generator);
        if (settings.ColorJitter > 0)
            yield return (pixels, generator) => ColorJitter.Apply(pixels, generator, settings.ColorJitter);
        if (settings.RandAugmentOperations > 0)
            yield return (pixels, generator) => RandAugment.Apply(pixels, generator, settings.RandAugmentOperations, settings.RandAugmentMagnitude);
        if (settings.RandomErasing > 0)
            yield return (pixels, generator) => RandomErasing.Apply(pixels, generator, settings.RandomErasing);
    }
}

/// <summary>How training images are augmented; by default not at all.</summary>
internal sealed record AugmentationSettings
{
    /// <summary>Whether images are mirrored, each with probability 0.5.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Whether images are turned upside down, each with probability 0.5.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>By how many pixels images are shifted at most; 0 for no shift.</summary>
    public int CropPadding { get; init; }

    /// <summary>The smallest share of the image's area that a resized crop takes, above 0; 1 for no resized crop.</summary>
    public double MinCropArea { get; init; } = 1;

    /// <summary>By how much brightness, contrast and saturation change at most, 0 to 1.</summary>
    public double ColorJitter { get; init; }

    /// <summary>How many operations of RandAugment each image gets; 0 for none.</summary>
    public int RandAugmentOperations { get; init; }

    /// <summary>How strong RandAugment's operations are, 0 to 1.</summary>
    public double RandAugmentMagnitude { get; init; } = 0.3;

    /// <summary>The probability that a box of an image is erased.</summary>
    public double RandomErasing { get; init; }

    /// <summary>The parameter of mixup's Beta distribution; 0 for no mixup.</summary>
    public double MixUpAlpha { get; init; }

    /// <summary>The parameter of cutmix's Beta distribution; 0 for no cutmix.</summary>
    public double CutMixAlpha { get; init; }

    /// <summary>The probability that a batch is mixed, where mixup or cutmix is on.</summary>
    public double MixProbability { get; init; } = 1;
}
