using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Imaging.Augmentation;

/// <summary>A rectangle of whole pixels.</summary>
internal readonly record struct Box(int Left, int Top, int Width, int Height)
{
    /// <summary>
    /// Boxes within images of a size, anywhere with the same chance. What is wider or higher than the image is cut to it, where
    /// torchvision would draw again.
    /// </summary>
    /// <param name="generator">Where the random numbers come from.</param>
    /// <param name="count">How many.</param>
    /// <param name="size">The images' size.</param>
    /// <param name="area">The range of the share of the image's area, drawn uniformly.</param>
    /// <param name="ratio">The range of width divided by height, drawn uniformly in its logarithm.</param>
    public static Box[] Draw(Generator generator, int count, ImageSize size, (double Min, double Max) area, (double Min, double Max) ratio)
    {
        var areas = generator.Uniform(count, area.Min, area.Max);
        var ratios = generator.Uniform(count, Math.Log(ratio.Min), Math.Log(ratio.Max));
        var (left, top) = (generator.Uniform(count), generator.Uniform(count));
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var pixels = areas[i] * size.Height * size.Width;
            var width = Whole(Math.Sqrt(pixels * Math.Exp(ratios[i])), size.Width);
            var height = Whole(Math.Sqrt(pixels / Math.Exp(ratios[i])), size.Height);
            return new Box((int)(left[i] * (size.Width - width + 1)), (int)(top[i] * (size.Height - height + 1)), width, height);
        })];

        static int Whole(double length, int max) => Math.Clamp((int)Math.Round(length), 1, max);
    }

    /// <summary>The part of [..., H, W] that the box covers: a view.</summary>
    public Tensor Of(Tensor images) => images.narrow(-2, Top, Height).narrow(-1, Left, Width);
}
