using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>
/// Images mixed with others of their batch, and their targets with them. As in timm's batch mode one share is drawn for the whole
/// batch, and each image's partner is its place in a permutation of the batch.
/// </summary>
internal static class Mixing
{
    /// <summary>Mixes the batch by mixup or cutmix; where both have an alpha, one or the other is drawn.</summary>
    /// <param name="pixels">[B, C, H, W] uint8.</param>
    /// <param name="targets">[B, classes] of floats: how much of each class an image is.</param>
    /// <param name="generator">Where the random numbers come from.</param>
    /// <param name="mixUpAlpha">Mixup's share is drawn from Beta(alpha, alpha); 0 for no mixup.</param>
    /// <param name="cutMixAlpha">Cutmix's share is drawn from Beta(alpha, alpha); 0 for no cutmix.</param>
    /// <param name="probability">The chance that the batch is mixed at all.</param>
    /// <param name="cutMixChance">The chance of cutmix where both are on.</param>
    /// <returns>New tensors of the same shapes and types, or the arguments themselves where nothing is mixed.</returns>
    public static (Tensor Pixels, Tensor Targets) Apply(
        Tensor pixels, Tensor targets, Generator generator, double mixUpAlpha, double cutMixAlpha, double probability = 1, double cutMixChance = 0.5)
    {
        if ((mixUpAlpha <= 0 && cutMixAlpha <= 0) || generator.Uniform(1)[0] >= probability)
            return (pixels, targets);

        using var scope = NewDisposeScope();
        var cut = cutMixAlpha > 0 && (mixUpAlpha <= 0 || generator.Uniform(1)[0] < cutMixChance);
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
    /// CutMix (Yun et al., arXiv 1905.04899): a box of the partner over the image. The box's middle is anywhere in the image, and
    /// what lies outside is cut off; so the share that is kept is more than <paramref name="share"/> where the box meets an edge.
    /// </summary>
    /// <returns>The images, and the share of the area that is still the image's own.</returns>
    internal static (Tensor Pixels, double Kept) CutMix(Tensor pixels, Tensor partners, double share, Generator generator)
    {
        var (height, width) = ((int)pixels.shape[2], (int)pixels.shape[3]);
        var middle = generator.Uniform(2);
        var (left, right) = Span(width, middle[0]);
        var (top, bottom) = Span(height, middle[1]);
        var box = new Box(left, top, right - left, bottom - top);

        using var scope = NewDisposeScope();
        var mixed = pixels.clone();
        box.Of(mixed).copy_(box.Of(pixels).index_select(0, partners));
        return (mixed.MoveToOuterDisposeScope(), 1 - ((double)box.Width * box.Height / (width * height)));

        (int Start, int End) Span(int size, double middle)
        {
            var half = (int)(size * Math.Sqrt(1 - share)) / 2;
            var center = (int)(size * middle);
            return (Math.Max(center - half, 0), Math.Min(center + half, size));
        }
    }

    private static Tensor Blend(Tensor own, Tensor partners, double share) => own.index_select(0, partners).lerp_(own, share);
}
