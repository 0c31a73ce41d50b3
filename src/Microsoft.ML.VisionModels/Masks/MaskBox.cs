namespace Microsoft.ML.VisionModels;

/// <summary>The smallest box around a mask, in pixels; its last column and row belong to it. All zeros where the mask is empty.</summary>
/// <param name="Left">The first column.</param>
/// <param name="Top">The first row.</param>
/// <param name="Right">The last column.</param>
/// <param name="Bottom">The last row.</param>
public readonly record struct MaskBox(int Left, int Top, int Right, int Bottom)
{
    /// <summary>
    /// [x, y, width, height] as Segment Anything's records have it: the width is <see cref="Right"/> - <see cref="Left"/>, which is one less
    /// than the number of columns. Data sets in COCO's form count the columns instead, see <see cref="CocoDataset"/>.
    /// </summary>
    public int[] ToXywh() => [Left, Top, Right - Left, Bottom - Top];

    /// <summary>The box that <see cref="ToXywh"/> writes as x, y, width and height.</summary>
    public static MaskBox FromXywh(int x, int y, int width, int height) => new(x, y, x + width, y + height);

    /// <summary>x0, y0, x1, y1.</summary>
    public override string ToString() => $"{Left}, {Top}, {Right}, {Bottom}";
}
