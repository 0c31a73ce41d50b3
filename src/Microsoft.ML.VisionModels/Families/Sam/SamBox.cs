namespace Microsoft.ML.VisionModels;

/// <summary>A box of a prompt, in pixels of the image.</summary>
/// <param name="Left">The left edge.</param>
/// <param name="Top">The upper edge.</param>
/// <param name="Right">The right edge.</param>
/// <param name="Bottom">The lower edge.</param>
public readonly record struct SamBox(float Left, float Top, float Right, float Bottom);
