namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Height and width, in pixels, patches or kernel taps.</summary>
internal readonly record struct Size2D(int Height, int Width)
{
    public int Area => Height * Width;

    public static implicit operator Size2D(int side) => new(side, side);

    /// <summary>How many times <paramref name="patch"/> fits, remainders dropped as a strided convolution drops them.</summary>
    public static Size2D operator /(Size2D image, Size2D patch) => new(image.Height / patch.Height, image.Width / patch.Width);

    public override string ToString() => $"{Height}x{Width}";
}
