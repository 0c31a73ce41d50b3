using Microsoft.ML.VisionModels.Masks;

namespace Microsoft.ML.VisionModels;

/// <summary>Masks as one image of numbers: each pixel has the number of the mask that it belongs to, from 1 on, or 0. Smaller masks lie on larger ones.</summary>
public static class LabelImage
{
    /// <summary>Draws the numbers.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="masks">Masks of that size; the first has number 1. Of masks with equal areas the later lies on top.</param>
    /// <returns>height x width numbers, row by row.</returns>
    /// <exception cref="ArgumentException">The size is not positive, or a mask has another.</exception>
    public static int[] Draw(int height, int width, IReadOnlyList<RunLengthMask> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        var labels = new int[RunLengthMask.PixelsOf(height, width)];
        Draw(labels, height, width, masks, number => number);
        return labels;
    }

    /// <summary>Draws what stands for each number, and leaves pixels without a mask as they are.</summary>
    internal static void Draw<T>(Span<T> pixels, int height, int width, IReadOnlyList<RunLengthMask> masks, Func<int, T> of)
    {
        foreach (var (index, mask) in masks.Index().OrderByDescending(entry => entry.Item.Area))
        {
            if (mask.Height != height || mask.Width != width)
                throw new ArgumentException($"Mask {index} is {mask.Height} x {mask.Width}, but the image is {height} x {width}.", nameof(masks));
            mask.Fill(pixels, of(index + 1));
        }
    }

    /// <summary>Draws the numbers as a gray PNG of 16 bits, under a temporary name first.</summary>
    /// <param name="path">The file, which is overwritten.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="masks">At most 65,535 masks of that size.</param>
    /// <exception cref="ArgumentException">The size is not positive, a mask has another, or there are too many.</exception>
    public static void Save(string path, int height, int width, IReadOnlyList<RunLengthMask> masks)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var labels = Draw(height, width, masks);
        if (masks.Count > ushort.MaxValue)
            throw new ArgumentException($"{masks.Count} masks are more than the {ushort.MaxValue} numbers of 16 bits.", nameof(masks));
        GrayPng.Write(path, height, width, labels);
    }
}
