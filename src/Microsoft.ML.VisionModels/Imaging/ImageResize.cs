namespace Microsoft.ML.VisionModels;

/// <summary>The size that an image is resized to: <see cref="Exact"/>, <see cref="ShortestEdge"/> or <see cref="LongestEdge"/>.</summary>
public abstract record ImageResize
{
    private ImageResize()
    {
    }

    /// <summary>The size after resizing an image of the given size.</summary>
    internal abstract ImageSize SizeFor(ImageSize source);

    /// <summary>One size for all images; the aspect ratio is not kept.</summary>
    /// <param name="Height">Rows.</param>
    /// <param name="Width">Pixels in a row.</param>
    public sealed record Exact(int Height, int Width) : ImageResize
    {
        internal override ImageSize SizeFor(ImageSize source) => new(Height, Width);
    }

    /// <summary>The shorter edge gets the length; the longer one follows the aspect ratio, rounded down.</summary>
    /// <param name="Length">Pixels.</param>
    public sealed record ShortestEdge(int Length) : ImageResize
    {
        internal override ImageSize SizeFor(ImageSize source) => source.Width <= source.Height
            ? new(Scaled(source.Height, source.Width), Length)
            : new(Length, Scaled(source.Width, source.Height));

        private int Scaled(int longer, int shorter) => (int)Math.Min((long)Length * longer / shorter, int.MaxValue);
    }

    /// <summary>The longer edge gets the length; the shorter one follows the aspect ratio, rounded to the nearest pixel, at least 1.</summary>
    /// <param name="Length">Pixels.</param>
    public sealed record LongestEdge(int Length) : ImageResize
    {
        internal override ImageSize SizeFor(ImageSize source)
        {
            var scale = (double)Length / Math.Max(source.Height, source.Width);
            return new(Scaled(source.Height, scale), Scaled(source.Width, scale));
        }

        private static int Scaled(int length, double scale) => Math.Max(1, (int)(length * scale + 0.5));
    }
}
