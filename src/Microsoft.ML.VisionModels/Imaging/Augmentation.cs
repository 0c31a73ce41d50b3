using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>Random changes to batches of pictures, [B, C, H, W] of any number type; each picture draws its own. Returns new tensors.</summary>
internal static class Augmentation
{
    /// <summary>Mirrors each picture with the given probability.</summary>
    public static Tensor RandomHorizontalFlip(Tensor images, Generator generator, double probability = 0.5)
    {
        using var scope = NewDisposeScope();
        var mirrored = rand([images.shape[0], 1, 1, 1], generator: generator).lt(probability).to(images.device); // [B, 1, 1, 1]
        return where(mirrored, images.flip(3), images).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Shifts each picture by up to <paramref name="padding"/> pixels each way: as if padded on all sides and cropped back to its
    /// size. The padding is 0, or the mirrored picture (its edge not repeated) where <paramref name="reflect"/> is set.
    /// </summary>
    public static Tensor RandomPaddedCrop(Tensor images, int padding, Generator generator, bool reflect = false)
    {
        var (count, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        if (reflect)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(padding, Math.Min(height, width));

        using var scope = NewDisposeScope();
        var rows = Positions(height).view(count, 1, height, 1);
        var columns = Positions(width).view(count, 1, 1, width);
        var cropped = images.index(
            arange(count, device: images.device).view(-1, 1, 1, 1), arange(channels, device: images.device).view(1, -1, 1, 1),
            Inside(rows, height), Inside(columns, width)); // [B, C, H, W]
        if (!reflect)
            cropped = cropped.masked_fill_(IsOutside(rows, height).logical_or(IsOutside(columns, width)), 0);
        return cropped.MoveToOuterDisposeScope();

        // [B, size]: where in the unpadded picture each output pixel lies, -padding to size - 1 + padding.
        Tensor Positions(long size) =>
            (arange(size) + randint(-padding, padding + 1, [count, 1], generator: generator)).to(images.device);

        Tensor Inside(Tensor positions, long size) => reflect
            ? (size - 1) - ((size - 1) - positions.abs()).abs()
            : positions.clamp(0, size - 1);

        static Tensor IsOutside(Tensor positions, long size) => positions.lt(0).logical_or(positions.ge(size));
    }
}
