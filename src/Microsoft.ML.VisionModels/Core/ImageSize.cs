namespace Microsoft.ML.VisionModels;

/// <summary>The size of an image in pixels.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Pixels in a row.</param>
public readonly record struct ImageSize(int Height, int Width)
{
    internal int Area => Height * Width;

    /// <summary>The size of a square image.</summary>
    /// <param name="side">Its height and width in pixels.</param>
    public static implicit operator ImageSize(int side) => new(side, side);

    /// <summary>How many patches fit, remainders dropped as a strided convolution drops them.</summary>
    internal ImageSize DividedInto(ImageSize patch) => new(Height / patch.Height, Width / patch.Width);

    /// <summary>Height x width.</summary>
    public override string ToString() => $"{Height} x {Width}";
}
