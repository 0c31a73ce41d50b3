using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>Does what <see cref="AugmentationSettings"/> says to training batches. The generator alone decides how; safe to use from many threads, each with its own.</summary>
internal sealed class Augmenter
{
    private readonly AugmentationSettings _settings;
    private readonly Func<Tensor, Generator, Tensor>[] _steps;

    public Augmenter(AugmentationSettings settings)
    {
        _settings = settings;
        _steps = [.. Steps(settings)];
    }

    /// <summary>Changes each image on its own, in the customary order: crop, flips, colors, erasing.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8, on any device; not changed.</param>
    /// <param name="generator">Where the random numbers come from: a generator of the CPU.</param>
    /// <returns>[B, 3, H, W] uint8, new; or the argument itself where nothing is on.</returns>
    public Tensor Apply(Tensor pixels, Generator generator)
    {
        if (_steps.Length == 0 || pixels.shape[0] == 0)
            return pixels;
        using var scope = NewDisposeScope();
        return _steps.Aggregate(pixels, (result, step) => step(result, generator)).MoveToOuterDisposeScope();
    }

    /// <summary>Mixes the images of a batch with each other; see <see cref="Mixing.Apply"/>.</summary>
    /// <param name="pixels">[B, 3, H, W] uint8.</param>
    /// <param name="targets">[B, classes] of floats.</param>
    /// <param name="generator">Where the random numbers come from: a generator of the CPU.</param>
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
            yield return (pixels, generator) => Imaging.Augmentation.ColorJitter.Apply(pixels, generator, settings.ColorJitter);
        if (settings.RandAugmentOperations > 0)
            yield return (pixels, generator) => RandAugment.Apply(pixels, generator, settings.RandAugmentOperations, settings.RandAugmentMagnitude);
        if (settings.RandomErasing > 0)
            yield return (pixels, generator) => Imaging.Augmentation.RandomErasing.Apply(pixels, generator, settings.RandomErasing);
    }
}
