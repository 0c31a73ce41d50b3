namespace Microsoft.ML.VisionModels;

/// <summary>The size of a picture in pixels.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Pixels in a row.</param>
public readonly record struct ImageSize(int Height, int Width)
{
    /// <summary>Height x width.</summary>
    public override string ToString() => $"{Height} x {Width}";
}
