using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>
/// Mixes the images of a batch with each other, and their targets alike. As in timm's batch mode, one share is drawn for the whole batch,
/// and each image is mixed with the one at its place in a random permutation of the batch.
/// </summary>
internal static class Mixing
{
    /// <summary>Mixes the batch by mixup or by cutmix; where both are on, one of them is drawn.</summary>
    /// <param name="pixels">[B, C, H, W] uint8.</param>
    /// <param name="targets">[B, classes], floats: the probability of each class.</param>
    /// <param name="generator">The source of random numbers.</param>
    /// <param name="mixUpAlpha">The parameter of Beta(alpha, alpha), from which mixup's share is drawn; 0 for no mixup.</param>
    /// <param name="cutMixAlpha">The parameter of Beta(alpha, alpha), from which cutmix's share is drawn; 0 for no cutmix.</param>
    /// <param name="probability">The probability that the batch is mixed at all.</param>
    /// <param name="cutMixProbability">The probability of cutmix where both are on.</param>
    /// <returns>New tensors of the same shapes and types, or the arguments themselves where nothing is mixed.</returns>
    public static (Tensor Pixels, Tensor Targets) Apply(
        Tensor pixels, Tensor targets, Generator generator, double mixUpAlpha, double cutMixAlpha, double probability = 1, double cutMixProbability = 0.5)
    {
        if ((mixUpAlpha <= 0 && cutMixAlpha <= 0) || generator.Uniform(1)[0] >= probability)
            return (pixels, targets);

        using var scope = NewDisposeScope();
        var cut = cutMixAlpha > 0 && (mixUpAlpha <= 0 || generator.Uniform(1)[0] < cutMixProbability);
        var share = generator.SymmetricBeta(cut ? cutMixAlpha : mixUpAlpha);
        var partners = randperm(pixels.shape[0], generator: generator).to(pixels.device);
        var (mixed, kept) = cut ? CutMix(pixels, partners, share, generator) : (MixUp(pixels, partners, share), share);
        return (mixed.MoveToOuterDisposeScope(), Blend(targets, partners.to(targets.device), kept).MoveToOuterDisposeScope());
    }

    /// <summary>mixup (Zhang et al., arXiv 1710.09412): <paramref name="share"/> of the image and the rest of its partner.</summary>
    internal static Tensor MixUp(Tensor pixels, Tensor partners, double share)
    {
        using var scope = NewDisposeScope();
        return Blend(pixels.to(float32), partners, share).ToPixels().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// CutMix (Yun et al., arXiv 1905.04899): a region of the partner replaces that of the image. The region's center lies anywhere in the
    /// image, and its part outside the image is cut off, so the image keeps more than <paramref name="share"/> of its area at an edge.
    /// </summary>
    /// <returns>The images, and the share of its area that each keeps.</returns>
    internal static (Tensor Pixels, double Kept) CutMix(Tensor pixels, Tensor partners, double share, Generator generator)
    {
        var (height, width) = ((int)pixels.shape[2], (int)pixels.shape[3]);
        var center = generator.Uniform(2);
        var (left, right) = Span(width, center[0]);
        var (top, bottom) = Span(height, center[1]);
        var region = new ImageRegion(left, top, right - left, bottom - top);

        using var scope = NewDisposeScope();
        var mixed = pixels.clone();
        region.Of(mixed).copy_(region.Of(pixels).index_select(0, partners));
        return (mixed.MoveToOuterDisposeScope(), 1 - ((double)region.Width * region.Height / (width * height)));

        (int Start, int End) Span(int size, double relativeCenter)
        {
            var half = (int)(size * Math.Sqrt(1 - share)) / 2;
            var middle = (int)(size * relativeCenter);
            return (Math.Max(middle - half, 0), Math.Min(middle + half, size));
        }
    }

    private static Tensor Blend(Tensor own, Tensor partners, double share) => own.index_select(0, partners).lerp_(own, share);
}
