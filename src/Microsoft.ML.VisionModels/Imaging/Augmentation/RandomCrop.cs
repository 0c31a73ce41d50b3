using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>A window of each image, drawn for each, in the size that the images have. Gives new tensors.</summary>
internal static class RandomCrop
{
    /// <summary>
    /// Shifts each image, [B, C, H, W] of any number type, by up to <paramref name="padding"/> pixels each way: as if padded on all
    /// sides and cropped back to its size. The padding is 0, or the mirrored image (its edge not repeated) where
    /// <paramref name="reflect"/> is set.
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

        // Each row of the crop is a run of memory: of all runs of W values, those that start in the right places.
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
    /// A part of each image, [B, C, H, W] uint8, magnified to the image's size, bilinearly: the usual crop of ImageNet trainings
    /// (Szegedy et al., arXiv 1409.4842).
    /// </summary>
    /// <param name="pixels">The images.</param>
    /// <param name="generator">Where the random numbers come from.</param>
    /// <param name="minArea">The smallest share of the image's area, of 0 to 1; the largest is the whole.</param>
    public static Tensor Resized(Tensor pixels, Generator generator, double minArea = 0.08)
    {
        var size = new ImageSize((int)pixels.shape[2], (int)pixels.shape[3]);
        var boxes = Box.Draw(generator, (int)pixels.shape[0], size, (minArea, 1), (3.0 / 4, 4.0 / 3));
        using var scope = NewDisposeScope();
        var result = empty_like(pixels);
        for (var i = 0; i < boxes.Length; i++)
        {
            var part = boxes[i].Of(pixels.narrow(0, i, 1)); // [1, 3, h, w]
            // Only the CPU has a kernel for bytes, several times as fast as that for floats.
            result.narrow(0, i, 1).copy_(pixels.device_type == DeviceType.CPU ? Magnify(part) : Magnify(part.to(float32)).ToPixels());
        }
        return result.MoveToOuterDisposeScope();

        Tensor Magnify(Tensor part) =>
            nn.functional.interpolate(part, [size.Height, size.Width], mode: InterpolationMode.Bilinear, align_corners: false);
    }
}
