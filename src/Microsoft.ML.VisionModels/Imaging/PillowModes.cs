namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// Resizing an image before it becomes RGB, as Pillow resizes what a file holds (Image.resize): colors are multiplied with alpha before
/// and divided by it after, and a palette's numbers cannot be averaged.
/// </summary>
internal static class PillowModes
{
    /// <summary>The resized image, without its alpha.</summary>
    /// <inheritdoc cref="PillowResize.Resize"/>
    public static RgbImage Resize(RgbImage image, int width, int height, ResizeFilter filter, PixelWindow window, int maxThreads)
    {
        if (image.HasPalette)
            filter = ResizeFilter.Nearest;
        if (image.Alpha is not { } alpha || filter == ResizeFilter.Nearest || (width == image.Width && height == image.Height))
            return PillowResize.Resize(image, width, height, filter, maxThreads: maxThreads, window: window);

        var (colors, alphas) = (RgbImage.Uninitialized(image.Width, image.Height), RgbImage.Uninitialized(image.Width, image.Height));
        for (var i = 0; i < colors.Pixels.Length; i++)
        {
            alphas.Pixels[i] = alpha[i / 3];
            var product = image.Pixels[i] * alpha[i / 3] + 128;
            colors.Pixels[i] = (byte)((product >> 8) + product >> 8);   // a division by 255, rounded
        }
        colors = PillowResize.Resize(colors, width, height, filter, maxThreads: maxThreads, window: window);
        alphas = PillowResize.Resize(alphas, width, height, filter, maxThreads: maxThreads, window: window);
        for (var i = 0; i < colors.Pixels.Length; i++)
        {
            if (alphas.Pixels[i] is > 0 and < 255 and var by)
                colors.Pixels[i] = (byte)Math.Min(255, 255 * colors.Pixels[i] / by);
        }
        return colors;
    }
}
