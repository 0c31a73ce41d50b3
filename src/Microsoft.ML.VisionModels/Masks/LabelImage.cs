using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>Draws masks as a label image: each pixel has the number of the mask that it belongs to, from 1, or 0. Smaller masks are drawn over larger ones.</summary>
public static class LabelImage
{
    /// <summary>Draws the label image.</summary>
    /// <param name="height">The image's height.</param>
    /// <param name="width">The image's width.</param>
    /// <param name="masks">Masks of that size; the first has number 1. Of masks with equal areas, the later one is drawn over the other.</param>
    /// <returns>height x width numbers, row by row.</returns>
    /// <exception cref="ArgumentException">The size is not positive, or a mask has another size.</exception>
    public static int[] Draw(int height, int width, IReadOnlyList<RunLengthMask> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        var labels = new int[RunLengthMask.PixelsOf(height, width)];
        Draw(labels, height, width, masks, number => number);
        return labels;
    }

    /// <summary>Draws a value for each mask's number, and keeps the pixels without a mask.</summary>
    internal static void Draw<T>(Span<T> pixels, int height, int width, IReadOnlyList<RunLengthMask> masks, Func<int, T> valueOf)
    {
        foreach (var (index, mask) in masks.Index().OrderByDescending(entry => entry.Item.Area))
        {
            if (mask.Height != height || mask.Width != width)
                throw new ArgumentException($"Mask {index} is {mask.Height} x {mask.Width}, but the image is {height} x {width}.", nameof(masks));
            mask.Fill(pixels, valueOf(index + 1));
        }
    }

    /// <summary>Writes the label image as a 16-bit gray PNG, under a temporary name until it is complete.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="height">The image's height.</param>
    /// <param name="width">The image's width.</param>
    /// <param name="masks">At most 65,535 masks of that size.</param>
    /// <exception cref="ArgumentException">The size is not positive, a mask has another size, or there are too many masks.</exception>
    public static void Save(string path, int height, int width, IReadOnlyList<RunLengthMask> masks)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var labels = Draw(height, width, masks);
        if (masks.Count > ushort.MaxValue)
            throw new ArgumentException($"{masks.Count} masks are more than the {ushort.MaxValue} numbers of 16 bits.", nameof(masks));
        GrayPng.Write(path, height, width, labels);
    }
}
